import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
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

@ObjectType({ description: 'What was deleted, or why nothing was.' })
export class DeletePayload {
  @Field(() => ID, { nullable: true, description: 'The id of what is gone; null when there are userErrors.' })
  deletedId?: string | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

type Payload<T> = Partial<T> & { readonly userErrors: readonly UserErrorObject[] };

/** Answers a mutation: its result, or what is wrong with the input. Every other error goes on its way. */
export async function withUserErrors<T extends object>(work: () => Promise<T>): Promise<Payload<T>> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { userErrors: error.problems } as unknown as Payload<T>;
  }
}
