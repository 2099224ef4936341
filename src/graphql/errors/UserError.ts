import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { PROBLEM_CODES, type ProblemCode } from '../../domain/InputError.js';

const UserErrorCode = Object.fromEntries(PROBLEM_CODES.map((code) => [code, code])) as { [Code in ProblemCode]: Code };
registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'What is wrong with a part of an input.',
  valuesConfig: {
    REQUIRED: { description: 'It is missing.' },
    INVALID: { description: 'It has the wrong form or does not fit here.' },
    INVALID_CHOICE: { description: 'It is not one of the possible values.' },
    NOT_FOUND: { description: 'There is no such thing, or it is not yours.' },
    MIN_VALUE: { description: 'It is too small.' },
    MAX_VALUE: { description: 'It is too large.' },
    FORBIDDEN: { description: 'It may not be done.' },
    CONFLICT: { description: 'It contradicts what is there already.' },
    UNKNOWN_FIELD: { description: 'There is no field of that name.' },
    NOT_A_LIST: { description: 'It must be a list.' },
  },
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
