import { type ClassType, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { Warning } from '../connections/ConnectionRules.js';
import { InputError, inputProblems, PROBLEM_CODES, type ProblemCode } from '../domain/errors.js';

const UserErrorCode = Object.fromEntries(PROBLEM_CODES.map((code) => [code, code])) as { [Code in ProblemCode]: Code };
registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'What is wrong with a part of an input.',
  valuesConfig: Object.fromEntries(PROBLEM_CODES.map((code) => [code, { description: inputProblems[code].means }])),
});

@ObjectType('UserError', { description: 'Something about the input that a person can mend. Nothing was changed.' })
export class UserErrorObject {
  @Field(() => UserErrorCode, { description: 'Stable; made for programs.' })
  code!: ProblemCode;

  @Field(() => String, { description: 'A sentence that says what to do; made for people.' })
  message!: string;

  @Field(() => [String], { description: 'Where in the input, from its root: ["webhook", "url"].' })
  path!: readonly string[];
}

const WarningCode: Readonly<Record<Warning['code'], Warning['code']>> = { UNKNOWN_SCOPE: 'UNKNOWN_SCOPE' };
registerEnumType(WarningCode, {
  name: 'WarningCode',
  description: 'What is unusual about a part of an input.',
  valuesConfig: { UNKNOWN_SCOPE: { description: 'This server does not know the scope; it is asked for all the same.' } },
});

@ObjectType('Warning', { description: 'Something about the input that is unusual. It was accepted as it is.' })
export class WarningObject {
  @Field(() => WarningCode, { description: 'Stable; made for programs.' })
  code!: Warning['code'];

  @Field(() => String, { description: 'A sentence that says what to look at; made for people.' })
  message!: string;

  @Field(() => [String], { description: 'Where in the input, from its root: ["klaviyo", "scopes", "0"].' })
  path!: readonly string[];
}

type Payload<T> = Partial<T> & { readonly userErrors: readonly UserErrorObject[] };

type PayloadOf<T> = Payload<{ readonly [Field in keyof T]: T[Field] | null }>;

/** What a mutation came to, by field: its type, and a description. */
type Results<T> = { readonly [Field in keyof T]-?: readonly [type: () => object, description: string] };

/** Makes the type of what a mutation answers: its results, each of them null when there are userErrors, and those. */
export function payloadType<T extends object>(
  name: string,
  description: string,
  results: Results<T>,
  userErrors = 'What a person can mend. Empty when all went well.',
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

export const DeletePayload = payloadType<{ deletedId: string }>('DeletePayload', 'What was deleted, or why nothing was.', {
  deletedId: [() => ID, 'The id of what is gone; null when there are userErrors.'],
});
export type DeletePayload = InstanceType<typeof DeletePayload>;

/** Answers a mutation: its result, or what is wrong with the input. Every other error goes on its way. */
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
