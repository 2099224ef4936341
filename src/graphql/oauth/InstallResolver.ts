import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import type { Connection } from '../../domain/Connection.js';
import { claimInstall } from '../../oauth/installs.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { payloadType, withUserErrors } from '../userErrors.js';
import { answerWithCookie } from './AuthorizationResolver.js';
import { AuthorizationInput, type StartedAuthorizationFields, startedAuthorizationFields } from './authorizationTypes.js';

@InputType({ description: 'An install that began at Klaviyo, and how to authorize it.' })
class ClaimInstallInput extends AuthorizationInput {
  @Field(() => String, {
    description: 'The parameter install of INSTALL_URL, or the code that the install page shows. Valid for an hour.',
  })
  install!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'Id of a KLAVIYO connection to authorize. Without it, a new connection is created.',
  })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'Display name of the new connection.' })
  name?: string | null;
}

const ClaimInstallPayload = payloadType<StartedAuthorizationFields & { connection: ConnectionObject }>(
  'ClaimInstallPayload',
  "The connection and the provider's URL for the merchant's browser, or the problems of the input.",
  {
    connection: [() => ConnectionObject, 'The connection of the install, which may be of an earlier claim.'],
    ...startedAuthorizationFields,
  },
);
type ClaimInstallPayload = InstanceType<typeof ClaimInstallPayload>;

@Resolver()
export class InstallResolver {
  @Mutation(() => ClaimInstallPayload, {
    description:
      'Assigns an install that began at Klaviyo to the organization, and starts the authorization of its connection. Claiming it again starts a new authorization of the same connection.',
  })
  claimInstall(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => ClaimInstallInput, { description: 'The install, and how to authorize it.' }) input: ClaimInstallInput,
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
