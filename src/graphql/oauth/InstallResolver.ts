import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { AuthorizationDisplay } from '../../domain/Authorization.js';
import type { Connection } from '../../domain/Connection.js';
import { claimInstall } from '../../oauth/installs.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { UserErrorObject, withUserErrors } from '../userErrors.js';
import { answerWithCookie } from './AuthorizationResolver.js';
import { AuthorizationDisplayEnum, AuthorizationObject } from './authorizationTypes.js';

@InputType({ description: 'An install that began at Klaviyo, and how to go on with it.' })
class ClaimInstallInput {
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

  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      'Where the browser goes afterwards, with the parameters connection and outcome, and error_code and error_description when it did not work. Its origin must be in RETURN_TO_ORIGINS.',
  })
  returnTo?: URL | null;

  @Field(() => AuthorizationDisplayEnum, {
    defaultValue: 'page',
    description: 'POPUP when the app opens the URL with window.open.',
  })
  display?: AuthorizationDisplay;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Sets a cookie with this answer that the callback must bring: only this browser can complete the attempt.',
  })
  bindToBrowser?: boolean;
}

@ObjectType({
  description: "The connection, and Klaviyo's URL to send the merchant's browser to; or what is wrong with the input.",
})
class ClaimInstallPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'The connection of the install, now or from an earlier claim.' })
  connection?: ConnectionObject | null;

  @Field(() => GraphQLURL, { nullable: true, description: "Open this in the merchant's browser." })
  authorizationUrl?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Until when the browser must be back.' })
  expiresAt?: Date | null;

  @Field(() => AuthorizationObject, { nullable: true, description: 'The attempt.' })
  authorization?: AuthorizationObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

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
