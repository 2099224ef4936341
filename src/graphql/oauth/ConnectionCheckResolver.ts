import { GraphQLDateTime } from 'graphql-scalars';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver, registerEnumType } from 'type-graphql';
import type { CheckOutcome } from '../../domain/Credential.js';
import { checkConnection } from '../../oauth/checkConnection.js';
import { ConnectionObject, ProviderAccountObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { payloadType, withOwnId, withUserErrors } from '../userErrors.js';

const ConnectionCheckOutcomeEnum = {
  HEALTHY: 'healthy',
  REVOKED: 'revoked',
  ACCOUNT_CHANGED: 'account_changed',
  SCOPES_MISSING: 'scopes_missing',
  UNREACHABLE: 'unreachable',
  NOT_AUTHORIZED: 'not_authorized',
} as const;
registerEnumType(ConnectionCheckOutcomeEnum, {
  name: 'ConnectionCheckOutcome',
  description: 'The result of checking a grant at Klaviyo.',
  valuesConfig: {
    HEALTHY: { description: 'The grant is valid.' },
    REVOKED: {
      description:
        'The grant is not valid: the app was uninstalled, or its access was withdrawn. The merchant must connect again.',
    },
    ACCOUNT_CHANGED: {
      description: 'The grant belongs to another account than the connection. It was discarded; the merchant must connect again.',
    },
    SCOPES_MISSING: {
      description: 'The grant is valid, but lacks missingScopes. Events are held only when they need one of these scopes.',
    },
    UNREACHABLE: {
      description: 'Klaviyo could not be reached, or its answer was not clear. Nothing was changed: try again later.',
    },
    NOT_AUTHORIZED: { description: 'The connection has no grant.' },
  },
});

@ObjectType('ConnectionCheck', { description: 'The result of a check of a grant.' })
class ConnectionCheckObject {
  @Field(() => ConnectionCheckOutcomeEnum, { description: 'The result, for programs.' })
  outcome!: CheckOutcome;

  @Field(() => String, { description: 'The result in one or two sentences, and who must act.' })
  message!: string;

  @Field(() => ProviderAccountObject, {
    nullable: true,
    description: 'The account of the grant; null when Klaviyo did not name it.',
  })
  account!: ProviderAccountObject | null;

  @Field(() => [String], { description: 'Scopes that the connection requests or needs and the grant lacks.' })
  missingScopes!: readonly string[];

  @Field(() => GraphQLDateTime, {
    description: 'When the grant was checked. Another check within 10 seconds returns the same result.',
  })
  checkedAt!: string;
}

@InputType({ description: 'The connection to check.' })
class CheckConnectionInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Id of a KLAVIYO connection. Required. For a webhook, broadcastTestEvent shows whether it works.',
  })
  id?: string | null;

  @Field(() => ID, { nullable: true, description: 'Id of a KLAVIYO connection.', deprecationReason: 'Use id.' })
  connectionId?: string | null;
}

const CheckConnectionPayload = payloadType<{ result: ConnectionCheckObject; connection: ConnectionObject }>(
  'CheckConnectionPayload',
  'The result of the check, or the problems of the input.',
  {
    result: [() => ConnectionCheckObject, 'The result; null when there are userErrors.'],
    connection: [() => ConnectionObject, 'The connection after the check; null when there are userErrors.'],
  },
);
type CheckConnectionPayload = InstanceType<typeof CheckConnectionPayload>;

@Resolver()
export class ConnectionCheckResolver {
  @Mutation(() => CheckConnectionPayload, {
    description: 'Checks the grant of a connection at Klaviyo now, as is done automatically once a day.',
  })
  checkConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CheckConnectionInput, { description: 'The connection to check.' }) input: CheckConnectionInput,
  ): Promise<CheckConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(() =>
      withOwnId(input, 'connectionId', (connectionId) => checkConnection(context.dependencies, caller, { connectionId })),
    );
  }
}
