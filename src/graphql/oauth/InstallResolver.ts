import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import type { Connection } from '../../domain/Connection.js';
import { claimInstall } from '../../oauth/installs.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { payloadType, withUserErrors } from '../userErrors.js';
import { answerWithCookie } from './AuthorizationResolver.js';
import { AuthorizationInput, type StartedAuthorizationFields, startedAuthorizationFields } from './authorizationTypes.js';

@InputType({ description: 'An install that began at Klaviyo, and how to go on with it.' })
class ClaimInstallInput extends AuthorizationInput {
  @Field(() => String, {
    description: 'What came to INSTALL_URL as the parameter install, or the code that the install page shows. Good for an hour.',
  })
  install!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'A KLAVIYO connection to authorize, new or again; without one, a new connection is created.',
  })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'What people call the new connection.' })
  name?: string | null;
}

const ClaimInstallPayload = payloadType<StartedAuthorizationFields & { connection: ConnectionObject }>(
  'ClaimInstallPayload',
  "The connection, and Klaviyo's URL to send the merchant's browser to; or what is wrong with the input.",
  {
    connection: [() => ConnectionObject, 'The connection of the install, now or from an earlier claim.'],
    ...startedAuthorizationFields,
  },
);
type ClaimInstallPayload = InstanceType<typeof ClaimInstallPayload>;

@Resolver()
export class InstallResolver {
  @Mutation(() => ClaimInstallPayload, {
    description:
      'Takes an install that began at Klaviyo for your organization, and starts to authorize its connection. Claiming it again starts anew, with the same connection.',
  })
  claimInstall(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => ClaimInstallInput, { description: 'Which install, and how to go on.' }) input: ClaimInstallInput,
  ): Promise<ClaimInstallPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => {
      let connection: Connection | undefined;
      const started = await answerWithCookie(context, input, async () => {
        const claimed = await claimInstall(context.dependencies, caller, input);
        connection = claimed.connection;
        return claimed;
      });
      return { ...started, connection };
    });
  }
}
