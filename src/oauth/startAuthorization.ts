import { createHash, randomBytes } from 'node:crypto';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { lockConnection } from '../database/lockConnection.js';
import { newId } from '../database/newId.js';
import { Authorization, type AuthorizationDisplay } from '../domain/Authorization.js';
import type { Caller } from '../domain/Caller.js';
import type { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';
import { checkReturnTo } from '../domain/returnTo.js';
import { Subscription } from '../domain/Subscription.js';
import { hashSecret } from '../domain/secrets.js';
import { type LinkedConfiguration, type Provider, type Providers, requireProvider } from './Provider.js';

/** Milliseconds between the start of an authorization and its callback. */
const AUTHORIZATION_LIFETIME_MS = 10 * 60_000;

interface StartAuthorizationInput {
  readonly connectionId: string;
  /**
   * The URL to which the browser returns. Its origin must be on the allow-list or the session's. The session's own by
   * default.
   */
  readonly returnTo?: URL | string | null;
  readonly display?: AuthorizationDisplay | null;
  readonly bindToBrowser?: boolean | null;
  readonly allowAccountChange?: boolean | null;
  /** The language of the outcome page (BCP 47). The session's by default. */
  readonly locale?: string | null;
}

export interface StartedAuthorization {
  readonly authorizationUrl: string;
  readonly authorization: Authorization;
  /** The value of the cookie that the callback requires. Null when the authorization is not bound to a browser. */
  readonly browserBinding: string | null;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly providers: Providers;
  readonly returnToOrigins: readonly string[];
}

/**
 * Starts an authorization at a provider (RFC 6749 4.1.1 with RFC 7636), each time with a fresh PKCE pair and a fresh state.
 * Older pending authorizations of the connection are superseded. Throws an InputError: NOT_FOUND, INVALID (not an OAuth
 * connection, returnTo not allowed), REQUIRED (returnTo for a pop-up).
 */
export async function startAuthorization(
  { database, cipher, providers, returnToOrigins }: Dependencies,
  caller: Caller,
  input: StartAuthorizationInput,
  /** The transaction to use. By default it opens its own. */
  within?: EntityManager,
): Promise<StartedAuthorization> {
  const ownOrigin = caller.session?.origin ? [caller.session.origin] : [];
  const returnTo = checkReturnTo(input.returnTo ?? caller.session?.returnTo, [...returnToOrigins, ...ownOrigin]);
  const display = input.display ?? 'page';
  const openerOrigin = display === 'popup' ? (caller.session?.origin ?? null) : null;
  if (display === 'popup' && openerOrigin === null && returnTo === null) {
    throw InputError.of('REQUIRED', 'A pop-up tells its outcome to the origin of returnTo: give one.', 'returnTo');
  }
  const state = randomBytes(32).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const browserBinding = input.bindToBrowser ? randomBytes(32).toString('base64url') : null;

  const start = async (em: EntityManager): Promise<StartedAuthorization> => {
    // The lock serializes two concurrent clicks, so that exactly the later authorization stays pending.
    const connection = await lockConnection(em, caller, input.connectionId, 'connectionId');
    const unlinked = `A ${connection.type} connection needs no authorization: it is ready as it is.`;
    const provider = requireProvider(providers, connection.type, unlinked);

    // Creating a subscription takes the connection's lock too, so none is missed.
    const subscribed = (await em.count(Subscription, { connectionId: connection.id })) > 0;
    await supersedeAuthorizations(em, connection.id, { underWayToo: false });
    const now = Date.now();
    const authorizationId = newId();
    const authorization = em.create(Authorization, {
      id: authorizationId,
      organizationId: caller.organizationId,
      connectionId: connection.id,
      provider: provider.id,
      status: 'pending',
      stateHash: hashSecret(state),
      codeVerifier: cipher.encrypt(codeVerifier, columnIdentity.codeVerifier(authorizationId)),
      redirectUri: provider.redirectUri,
      scopes: scopesToRequest(provider, connection, subscribed),
      returnTo,
      display,
      openerOrigin,
      locale: input.locale ?? caller.session?.locale ?? null,
      browserBindingHash: browserBinding === null ? null : hashSecret(browserBinding),
      allowAccountChange: input.allowAccountChange ?? false,
      createdAt: new Date(now),
      expiresAt: new Date(now + AUTHORIZATION_LIFETIME_MS),
    });
    await em.flush();
    await recordAudit(em, caller, {
      action: 'authorization_started',
      subject: ['connection', connection.id],
      after: { authorizationId, provider: provider.id, scopes: authorization.scopes, returnTo },
    });
    return {
      authorization,
      browserBinding,
      authorizationUrl: provider.authorizationUrl({ state, codeChallenge, scopes: authorization.scopes }),
    };
  };
  return within ? start(within) : database.transaction(start);
}

/**
 * Returns the scopes that the next authorization of a connection requests: those of its configuration and, once it has a
 * subscription, the one that deliveries need. Without the latter, a new grant could not deliver either.
 */
export function scopesToRequest(
  provider: Pick<Provider, 'deliveryScope'> | null,
  { configuration }: Pick<Connection, 'configuration'>,
  subscribed: boolean,
): string[] {
  const { scopes } = configuration as LinkedConfiguration;
  return [...new Set([...scopes, ...(subscribed && provider ? [provider.deliveryScope] : [])])];
}

interface SupersedeOptions {
  /** Also an authorization whose code is being exchanged. Its grant will be revoked. */
  readonly underWayToo: boolean;
}

/** Supersedes the pending authorizations of a connection, in the given transaction, which holds the connection's lock. */
export async function supersedeAuthorizations(
  em: EntityManager,
  connectionId: number,
  { underWayToo }: SupersedeOptions,
): Promise<void> {
  await em.nativeUpdate(
    Authorization,
    { connectionId, status: 'pending', ...(underWayToo ? {} : { consumedAt: null }) },
    { status: 'superseded', codeVerifier: null, completedAt: new Date() },
  );
}
