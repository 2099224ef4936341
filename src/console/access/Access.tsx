import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { type CombinedError, Provider } from 'urql';
import { type Client, codeOf, createClient, REFUSALS, type SocketState } from '../api/createClient.js';
import { tellHost } from '../embedding.js';
import { graphql } from '../graphql/gql.js';
import type { ApiKeyScope, SessionPermission } from '../graphql/graphql.js';
import { type Credential, initialCredential, type Keys, type SessionFacts, storeSession } from './credential.js';

/** What the caller may do. Whoever may not gets no button for it; the server decides in any case. */
export interface Abilities {
  readonly manage: boolean;
  readonly createConnections: boolean;
  readonly readEvents: boolean;
  readonly publish: boolean;
  readonly admin: boolean;
}

interface AccessValue {
  readonly credential: Credential;
  /** Null: a key calls. */
  readonly session: SessionFacts | null;
  /** A platform that acts for no organization yet. */
  readonly isPlatform: boolean;
  /** A platform's key, whatever it acts for. */
  readonly ownsOrganizations: boolean;
  readonly can: Abilities;
  readonly socket: SocketState;
  /** Grows whenever live updates may have been missed. */
  readonly missed: number;
  /**
   * Makes up for the keys that a reload forgot, for something that needs these scopes. Returns what is wrong with the keys, or
   * null.
   */
  readonly giveKeys: (keys: Keys, scopes: readonly ApiKeyScope[]) => Promise<SignInProblem | null>;
  readonly enter: (organization: string | null) => void;
  readonly signOut: () => Promise<void>;
}

export type SignInProblem = 'wrongKeys' | 'unreachable' | 'tooMany' | 'refused' | 'otherOrganization' | 'scopesMissing';

const AccessContext = createContext<AccessValue | null>(null);

/** The access of the signed-in caller. */
export function useAccess(): AccessValue {
  const access = useContext(AccessContext);
  if (!access) throw new Error('There is no caller here');
  return access;
}

const CREATE_SESSION = graphql(`
  mutation OpenConsole($input: CreateSessionInput!) {
    createSession(input: $input) {
      session { id expiresAt }
      token
      userErrors { code message path }
    }
  }
`);

const END_SESSION = graphql(`
  mutation LeaveConsole($id: ID!) {
    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }
  }
`);

const WHO_CALLS = graphql(`
  query WhoCalls {
    session { id permissions locale connection { id } }
  }
`);

const CREDENTIALS = graphql(`
  query Credentials { caller { credential scopes } }
`);

const OWN_ORGANIZATION = graphql(`
  query OwnOrganization { organization { id } }
`);

/** Eight hours: a working day. */
const SESSION_SECONDS = 28_800;

interface SignedIn {
  readonly credential: Credential;
  readonly session: SessionFacts | null;
  readonly sessionId: string | null;
  readonly isPlatformKey: boolean;
  /** Of the keys; null: every one. */
  readonly scopes: readonly ApiKeyScope[] | null;
}

type State =
  | { readonly step: 'looking'; readonly credential: Credential }
  | { readonly step: 'stuck'; readonly credential: Credential; readonly error: CombinedError }
  | { readonly step: 'out'; readonly reason: string | null }
  | { readonly step: 'in'; readonly caller: SignedIn };

interface AccessProviderProps {
  readonly children: ReactNode;
  /** The way in: `signIn` returns what is wrong with the keys, or null. */
  readonly door: (signIn: (keys: Keys) => Promise<SignInProblem | null>, reason: string | null) => ReactNode;
  readonly waiting: ReactNode;
  /** Stands in while the server does not say whether a session is valid. */
  readonly trouble: (error: CombinedError, retry: () => void, leave: () => void) => ReactNode;
  readonly onLocale: (locale: string) => void;
}

/** Knows who calls, from the way in to the way out. */
export function AccessProvider({ children, door, waiting, trouble, onLocale }: AccessProviderProps) {
  const [state, setState] = useState<State>(() => {
    const credential = initialCredential();
    return credential ? { step: 'looking', credential } : { step: 'out', reason: null };
  });
  const [socket, setSocket] = useState<SocketState>('closed');
  const [missed, setMissed] = useState(0);

  const leave = useCallback((reason: string | null) => {
    tellHost({ state: 'over' });
    storeSession(null);
    setState({ step: 'out', reason });
  }, []);

  const signIn = useCallback(async (keys: Keys) => {
    const found = await openWithKeys(keys);
    if (typeof found === 'string') return found;
    storeSession(found.credential.session);
    setState({ step: 'in', caller: found });
    return null;
  }, []);

  // What a stored session or the token of the address is good for.
  useEffect(() => {
    if (state.step !== 'looking') return;
    const { credential } = state;
    const client = createClient({ ...credential, keys: null }, SILENT);
    void client.urql
      .query(WHO_CALLS, {}, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data, error }) => {
        if (!data?.session) {
          const code = error ? codeOf(error) : 'UNAUTHENTICATED';
          // Any other failure says nothing about the session.
          if (error && !(code && REFUSALS.includes(code))) return setState({ step: 'stuck', credential, error });
          return leave(code ?? null);
        }
        const { id, permissions, locale, connection } = data.session;
        // The connect page is for whoever may connect, and nothing else.
        if (!permissions.some((one) => one !== 'CONNECT')) {
          location.replace(`/connect/${encodeURIComponent(credential.session?.token ?? '')}`);
          return;
        }
        if (locale) onLocale(locale);
        tellHost({ state: 'open' });
        const session = { id, permissions, locale: locale ?? null, connectionId: connection?.id ?? null };
        setState({ step: 'in', caller: { credential, session, sessionId: id, isPlatformKey: false, scopes: null } });
      });
  }, [state, leave, onLocale]);

  const caller = state.step === 'in' ? state.caller : null;
  const credential = caller?.credential ?? null;
  const client = useMemo<Client | null>(
    () =>
      credential &&
      createClient(credential, {
        onRefused: (code) => leave(code),
        onSocket: (now) => {
          setSocket(now === 'late' ? 'open' : now);
          if (now === 'late') setMissed((count) => count + 1);
        },
      }),
    [credential, leave],
  );
  const opened = useRef<Client | null>(null);
  useEffect(() => {
    if (opened.current !== client) opened.current?.close();
    opened.current = client;
  }, [client]);

  if (state.step === 'looking') return waiting;
  if (state.step === 'stuck') {
    const retry = () => setState({ step: 'looking', credential: state.credential });
    return trouble(state.error, retry, () => leave(null));
  }
  if (!caller || !client) return door(signIn, state.step === 'out' ? state.reason : null);

  const isPlatform = caller.isPlatformKey && caller.credential.organization === null;
  const value: AccessValue = {
    credential: caller.credential,
    session: caller.credential.keys ? null : caller.session,
    isPlatform,
    ownsOrganizations: caller.isPlatformKey,
    can: abilitiesOf(caller),
    socket,
    missed,
    async giveKeys(keys, scopes) {
      const { data, error } = await client.urql.query(OWN_ORGANIZATION, {}).toPromise();
      if (!data) return problemOf(error);
      const found = await openWithKeys(keys, { scopes, organization: data.organization?.id ?? null });
      if (typeof found === 'string') return found;
      // Keys that make no session leave the one that there is.
      const session = found.credential.session ?? caller.credential.session;
      storeSession(session);
      setState({ step: 'in', caller: { ...found, credential: { ...found.credential, session } } });
      return null;
    },
    enter: (organization) => setState({ step: 'in', caller: { ...caller, credential: { ...caller.credential, organization } } }),
    async signOut() {
      if (caller.sessionId && caller.credential.keys) {
        await client.urql.mutation(END_SESSION, { id: caller.sessionId }).toPromise();
      }
      // Whoever signs in next begins at the first screen.
      history.replaceState(null, '', '/console');
      leave(null);
    },
  };
  return (
    <AccessContext.Provider value={value}>
      <Provider value={client.urql}>{children}</Provider>
    </AccessContext.Provider>
  );
}

const SILENT = { onRefused: () => {}, onSocket: () => {} };

function abilitiesOf({ credential, session, scopes }: SignedIn): Abilities {
  if (credential.keys) {
    const has = (scope: ApiKeyScope) => scopes === null || scopes.includes(scope);
    const manage = has('MANAGE');
    return { manage, createConnections: manage, readEvents: has('READ'), publish: has('PUBLISH'), admin: has('ADMIN') };
  }
  const manage = session?.permissions.includes('MANAGE') === true;
  const isForAll = session?.connectionId === null;
  return { manage, createConnections: manage && isForAll, readEvents: false, publish: false, admin: false };
}

/** What keys have to be for whoever is in already. */
interface Needed {
  readonly scopes: readonly ApiKeyScope[];
  /** The organization that they belong to. */
  readonly organization: string | null;
}

/** Exchanges keys for a session. A key without ADMIN makes none, and neither does a platform's. */
async function openWithKeys(keys: Keys, needed?: Needed): Promise<SignedIn | SignInProblem> {
  const credential: Credential = { session: null, keys, organization: null };
  const { urql } = createClient(credential, SILENT);
  const { data, error } = await urql.query(CREDENTIALS, {}).toPromise();
  if (!data) return problemOf(error);
  const { credential: kind, scopes } = data.caller;
  if (needed) {
    if (kind === 'PLATFORM_KEY') return 'otherOrganization';
    if (!needed.scopes.every((scope) => scopes.includes(scope))) return 'scopesMissing';
    const own = await urql.query(OWN_ORGANIZATION, {}).toPromise();
    if (!own.data) return problemOf(own.error);
    if (own.data.organization?.id !== needed.organization) return 'otherOrganization';
  }
  const nobody = { session: null, sessionId: null };
  // Whatever organization a platform acts for, it has every scope there.
  if (kind === 'PLATFORM_KEY') return { credential, ...nobody, isPlatformKey: true, scopes: null };
  if (!scopes.includes('ADMIN')) return { credential, ...nobody, isPlatformKey: false, scopes };
  const { hostname, protocol, origin } = location;
  // A key gives no more than it has, and MANAGE includes VIEW.
  if (!scopes.includes('READ')) return { credential, ...nobody, isPlatformKey: false, scopes };
  const permissions: SessionPermission[] = scopes.includes('MANAGE') ? ['VIEW', 'MANAGE'] : ['VIEW'];
  const input = {
    permissions,
    expiresIn: SESSION_SECONDS,
    // A session names https, or http for localhost. Our own pages may call in any case.
    origin: protocol === 'https:' || hostname === 'localhost' ? origin : undefined,
  };
  const made = (await urql.mutation(CREATE_SESSION, { input }).toPromise()).data?.createSession;
  if (!made?.token || !made.session) return { credential, ...nobody, isPlatformKey: false, scopes };
  const session = { token: made.token, madeBy: keys.publicKey };
  return { credential: { ...credential, session }, session: null, sessionId: made.session.id, isPlatformKey: false, scopes };
}

function problemOf(error: CombinedError | undefined): SignInProblem {
  const code = codeOf(error);
  if (code === 'UNAUTHENTICATED') return 'wrongKeys';
  if (code === 'RATE_LIMITED') return 'tooMany';
  if (error?.networkError && !code) return 'unreachable';
  return 'refused';
}
