import { type ClassType, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { Warning } from '../connections/ConnectionRules.js';
import { InputError, inputProblems, PROBLEM_CODES, type ProblemCode } from '../domain/errors.js';

const UserErrorCode = Object.fromEntries(PROBLEM_CODES.map((code) => [code, code])) as { [Code in ProblemCode]: Code };
registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'The code of a problem of an input.',
  valuesConfig: Object.fromEntries(PROBLEM_CODES.map((code) => [code, { description: inputProblems[code].means }])),
});

@ObjectType('UserError', { description: 'A problem of the input that a person can fix. Nothing was changed.' })
export class UserErrorObject {
  @Field(() => UserErrorCode, { description: 'Stable code for programs.' })
  code!: ProblemCode;

  @Field(() => String, { description: 'A sentence for a person that says what to do.' })
  message!: string;

  @Field(() => [String], { description: 'Path from the root of the input, such as ["configuration", "webhook", "url"].' })
  path!: readonly string[];
}

const WarningCode: Readonly<Record<Warning['code'], Warning['code']>> = { UNKNOWN_SCOPE: 'UNKNOWN_SCOPE' };
registerEnumType(WarningCode, {
  name: 'WarningCode',
  description: 'The code of a warning.',
  valuesConfig: { UNKNOWN_SCOPE: { description: 'This server does not know the scope. It is requested all the same.' } },
});

@ObjectType('Warning', { description: 'An unusual part of the input, which was accepted.' })
export class WarningObject {
  @Field(() => WarningCode, { description: 'Stable code for programs.' })
  code!: Warning['code'];

  @Field(() => String, { description: 'A sentence for a person that says what to check.' })
  message!: string;

  @Field(() => [String], { description: 'Path from the root of the input, such as ["configuration", "klaviyo", "scopes", "0"].' })
  path!: readonly string[];
}

type Payload<T> = Partial<T> & { readonly userErrors: readonly UserErrorObject[] };

type PayloadOf<T> = Payload<{ readonly [Field in keyof T]: T[Field] | null }>;

/** The result fields of a mutation: type and description by name. */
type Results<T> = { readonly [Field in keyof T]-?: readonly [type: () => object, description: string] };

/** Returns the payload type of a mutation: its results, each null when there are userErrors, and the userErrors. */
export function payloadType<T extends object>(
  name: string,
  description: string,
  results: Results<T>,
  userErrors = 'Problems of the input that a person can fix. Empty on success.',
): ClassType<PayloadOf<T>> {
  @ObjectType(name, { description })
  class PayloadObject {
    @Field(() => [UserErrorObject], { description: userErrors })
    userErrors!: readonly UserErrorObject[];
  }
  for (const [field, [type, meaning]] of Object.entries<Results<T>[keyof T]>(results)) {
    Field(type, { nullable: true, description: meaning })(PayloadObject.prototype, field);
  }
  return PayloadObject as unknown as ClassType<PayloadOf<T>>;
}

export const DeletePayload = payloadType<{ deletedId: string }>(
  'DeletePayload',
  'The id of the deleted object, or the problems of the input.',
  {
    deletedId: [() => ID, 'Id of the deleted object; null when there are userErrors.'],
  },
);
export type DeletePayload = InstanceType<typeof DeletePayload>;

/** Returns the result of a mutation, or the problems of an InputError as userErrors. Other errors pass through. */
export async function withUserErrors<T extends object>(work: () => Promise<T>): Promise<Payload<T>> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { userErrors: error.problems } as unknown as Payload<T>;
  }
}

/**
 * Calls `work` with the id of an input's own object, which came as `id` or by its deprecated name. The use case reports problems
 * by the deprecated name; they get the path `id` when that was given.
 * Throws an InputError: REQUIRED without an id, INVALID with both.
 */
export async function withOwnId<Name extends string, T>(
  input: { readonly [Field in Name | 'id']?: string | null },
  deprecated: Name,
  work: (id: string) => Promise<T>,
): Promise<T> {
  const [id, old] = [input.id ?? null, input[deprecated] ?? null];
  if (id !== null && old !== null) throw InputError.of('INVALID', `Give "id" only: "${deprecated}" is deprecated.`, deprecated);
  if (id === null && old === null) throw InputError.of('REQUIRED', 'An "id" is required.', 'id');
  if (id === null) return work(old as string);
  try {
    return await work(id);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      error.problems.map((problem) => ({ ...problem, path: problem.path.map((part) => (part === deprecated ? 'id' : part)) })),
    );
  }
}
