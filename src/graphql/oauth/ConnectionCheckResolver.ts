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
  description: 'What Klaviyo said when it was asked whether a grant lives.',
  valuesConfig: {
    HEALTHY: { description: 'It does.' },
    REVOKED: { description: 'It does not: the app was uninstalled, or its access withdrawn. The merchant has to connect again.' },
    ACCOUNT_CHANGED: {
      description:
        'It leads to another account than the connection belongs to. It was given up; the merchant has to connect again.',
    },
    SCOPES_MISSING: { description: 'It lives, but lacks missingScopes. Events are held only when they need one of those.' },
    UNREACHABLE: { description: 'Klaviyo could not be asked, or gave no clear answer. Nothing was changed: try again later.' },
    NOT_AUTHORIZED: { description: 'There is no grant to ask after.' },
  },
});

@ObjectType('ConnectionCheck', { description: "What was found out about a connection's grant." })
class ConnectionCheckObject {
  @Field(() => ConnectionCheckOutcomeEnum, { description: 'What was found; made for programs.' })
  outcome!: CheckOutcome;

  @Field(() => String, { description: 'The same in a sentence or two, and whose turn it is.' })
  message!: string;

  @Field(() => ProviderAccountObject, {
    nullable: true,
    description: 'The account that the grant leads to; null when Klaviyo did not say.',
  })
  account!: ProviderAccountObject | null;

  @Field(() => [String], { description: 'What the connection asks for or needs, but the grant lacks.' })
  missingScopes!: readonly string[];

  @Field(() => GraphQLDateTime, { description: 'When it was found. Whoever asks again within 10 seconds gets the same.' })
  checkedAt!: string;
}

@InputType({ description: 'Which connection to check.' })
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
  'What was found, or what is wrong with the input.',
  {
    result: [() => ConnectionCheckObject, 'What was found; null when there are userErrors.'],
    connection: [() => ConnectionObject, 'As it is now; null when there are userErrors.'],
  },
);
type CheckConnectionPayload = InstanceType<typeof CheckConnectionPayload>;

@Resolver()
export class ConnectionCheckResolver {
  @Mutation(() => CheckConnectionPayload, {
    description: 'Asks Klaviyo now whether the grant of a connection lives, as is done once a day, and says what it found.',
  })
  checkConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CheckConnectionInput, { description: 'Which one.' }) input: CheckConnectionInput,
  ): Promise<CheckConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(() =>
      withOwnId(input, 'connectionId', (connectionId) => checkConnection(context.dependencies, caller, { connectionId })),
    );
  }
}
