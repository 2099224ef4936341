import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Authorization, AuthorizationStatus } from '../../domain/Authorization.js';
import type { Connection } from '../../domain/Connection.js';
import { InputError } from '../../domain/errors.js';
import { revokeAuthorization } from '../../oauth/revokeAuthorization.js';
import { type StartedAuthorization, scopesToRequest, startAuthorization } from '../../oauth/startAuthorization.js';
import { ConnectionPayload } from '../connections/ConnectionResolver.js';
import { ConnectionObject, ProviderAccountObject } from '../connections/connectionTypes.js';
import { authorizationErrorCodes } from '../errorCodes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { withUserErrors } from '../userErrors.js';
import {
  AuthorizationObject,
  AuthorizationStatusEnum,
  GrantObject,
  RevokeAuthorizationInput,
  StartAuthorizationInput,
  StartAuthorizationPayload,
} from './authorizationTypes.js';

@Resolver(() => AuthorizationObject)
export class AuthorizationResolver {
  @Mutation(() => StartAuthorizationPayload, {
    description: "Starts to link a merchant's account, and returns the URL to open in the browser.",
  })
  startAuthorization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => StartAuthorizationInput, { description: 'The connection, and where the browser returns.' })
    input: StartAuthorizationInput,
  ): Promise<StartAuthorizationPayload> {
    const caller = context.caller('manage', 'connect');
    return withUserErrors(() => answerWithCookie(context, input, () => startAuthorization(context.dependencies, caller, input)));
  }

  @Mutation(() => ConnectionPayload, {
    description: "Revokes the merchant's grant. The connection stays, and needs a new authorization.",
  })
  revokeAuthorization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => RevokeAuthorizationInput, { description: 'The connection.' }) input: RevokeAuthorizationInput,
  ): Promise<ConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ connection: await revokeAuthorization(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => AuthorizationStatusEnum, { description: 'Current status.' })
  status(@Root() { status, consumedAt, expiresAt }: Authorization): AuthorizationStatus {
    // The stored status changes only when a reader, a callback or a chore finds that the authorization has expired.
    return status === 'pending' && !consumedAt && expiresAt.getTime() <= Date.now() ? 'expired' : status;
  }

  @FieldResolver(() => authorizationErrorCodes.type, {
    nullable: true,
    description: 'Why the authorization was not completed; null when there is no error.',
  })
  errorCode(@Root() { errorCode }: Authorization): string | null {
    return errorCode ? authorizationErrorCodes.of(errorCode) : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "The provider's own code when errorCode is OTHER; null otherwise.",
  })
  providerErrorCode(@Root() { errorCode }: Authorization): string | null {
    return errorCode ? authorizationErrorCodes.other(errorCode) : null;
  }
}

/**
 * Starts an authorization and returns its payload fields. With `bindToBrowser`, the response sets the cookie that binds it to the
 * browser. Throws an InputError: INVALID over a websocket, which cannot set cookies.
 */
export async function answerWithCookie(
  { bindBrowser }: GraphQLContext,
  { bindToBrowser }: { readonly bindToBrowser?: boolean | null },
  start: () => Promise<StartedAuthorization>,
) {
  if (bindToBrowser && !bindBrowser) {
    const message = 'A browser is bound by a cookie, which a websocket cannot set: send the mutation by POST.';
    throw InputError.of('INVALID', message, 'bindToBrowser');
  }
  const { authorization, authorizationUrl, browserBinding } = await start();
  const { id, expiresAt } = authorization;
  if (browserBinding) bindBrowser?.({ authorizationId: id, value: browserBinding, expiresAt });
  return { authorizationUrl, expiresAt, authorization };
}

@Resolver(() => ConnectionObject)
export class ConnectionAuthorizationResolver {
  @FieldResolver(() => AuthorizationObject, {
    nullable: true,
    description: 'The latest authorization; null for a webhook, and before the first authorization.',
  })
  authorization(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<AuthorizationObject | null> {
    return context.loaders.authorization.load(connection.id);
  }

  @FieldResolver(() => ProviderAccountObject, {
    nullable: true,
    description: 'The linked account, also while the grant is lost; null for a webhook, and before the first authorization.',
  })
  async account(@Root() { id }: Connection, @Ctx() { loaders }: GraphQLContext): Promise<ProviderAccountObject | null> {
    const credential = await loaders.credential.load(id);
    if (!credential?.accountId) return null;
    const { accountId, accountName, accountTimezone } = credential;
    return { id: accountId, name: accountName ?? null, timezone: accountTimezone ?? null };
  }

  @FieldResolver(() => GrantObject, {
    nullable: true,
    description:
      'The grant of the linked account; null without one: for a webhook, before an authorization, and once it is lost.',
  })
  async grant(@Root() connection: Connection, @Ctx() { dependencies, loaders }: GraphQLContext): Promise<GrantObject | null> {
    const credential = await loaders.credential.load(connection.id);
    if (!credential?.accessToken) return null;
    const { scopes: grantedScopes, expiresAt, lastRefreshedAt, checkedAt } = credential;
    const isSubscribed = (await loaders.subscribed.load(connection.id)) !== null;
    const requested = scopesToRequest(dependencies.providers.get(connection.type) ?? null, connection, isSubscribed);
    return {
      grantedScopes,
      missingScopes: requested.filter((scope) => !grantedScopes.includes(scope)),
      accessTokenExpiresAt: expiresAt,
      lastRefreshedAt,
      lastCheckedAt: checkedAt,
    };
  }
}
