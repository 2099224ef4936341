import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

export const AuthorizationStatusEnum = {
  PENDING: 'pending',
  COMPLETED: 'completed',
  DENIED: 'denied',
  FAILED: 'failed',
  EXPIRED: 'expired',
  SUPERSEDED: 'superseded',
} as const;
registerEnumType(AuthorizationStatusEnum, {
  name: 'AuthorizationStatus',
  description: 'How far an attempt to link a provider came.',
  valuesConfig: {
    PENDING: { description: "Waits for the merchant's browser to come back." },
    COMPLETED: { description: 'Linked.' },
    DENIED: { description: 'The merchant said no.' },
    FAILED: { description: 'It broke; errorCode and errorDescription say how.' },
    EXPIRED: { description: 'Nobody came back in time.' },
    SUPERSEDED: { description: 'A newer attempt took its place.' },
  },
});

@ObjectType('Authorization', { description: 'One attempt to link a provider, and what became of it.' })
export class AuthorizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: "Why it did not work: a stable code of ours, or the provider's (RFC 6749 4.1.2.1, 5.2).",
  })
  errorCode?: string | null;

  @Field(() => String, { nullable: true, description: 'The same in a sentence for developers, with what the provider said.' })
  errorDescription?: string | null;

  @Field(() => [String], { description: 'The scopes that were asked for.' })
  scopes!: string[];

  @Field(() => GraphQLDateTime, { description: 'Until when the browser must be back: ten minutes after the start.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it was started.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When it had an outcome, of whatever kind.' })
  completedAt?: Date | null;
}
