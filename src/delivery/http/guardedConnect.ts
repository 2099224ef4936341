import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './addressPolicy.js';
import { type Lookup, ResolverSilent } from './resolver.js';

/** No address of the host may be connected to. */
export class AddressRefused extends Error {
  readonly code = 'ERR_ADDRESS_REFUSED';
}

/** The host name could not be resolved; `cause` is the resolver's error. */
export class LookupFailed extends Error {
  readonly code = 'ERR_LOOKUP_FAILED';
}

export interface GuardedConnectOptions {
  readonly policy: AddressPolicy;
  readonly lookup: Lookup;
  /** Milliseconds for look-up, TCP and TLS handshake together. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust instead of the usual ones, in PEM. */
  readonly ca?: string | Buffer;
  readonly onSocket?: (socket: Socket) => void;
}

/**
 * Opens sockets for undici to permitted addresses only.
 *
 * The look-up answers with the permitted addresses of a name, and the socket goes to one of exactly those: there is no
 * second look-up that could answer differently. Literal addresses never reach a look-up, so they are checked first. At
 * last the address that the socket is really connected to is checked, before a byte of the request is written.
 */
export function createGuardedConnect(options: GuardedConnectOptions): buildConnector.connector {
  const { policy, onSocket } = options;
  const connect = buildConnector({
    allowH2: false,
    timeout: options.timeoutMs,
    lookup: permittedLookup(policy, options.lookup),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  } as buildConnector.BuildOptions);

  return (target, callback) => {
    if (isIP(target.hostname) !== 0 && !policy.permits(target.hostname)) {
      callback(new AddressRefused('literal address'), null);
      return;
    }
    connect(target, (error, socket) => {
      if (error) return callback(error, null);
      if (!policy.permits(socket.remoteAddress ?? '')) {
        socket.on('error', () => {}).destroy();
        return callback(new AddressRefused('connected address'), null);
      }
      onSocket?.(socket);
      callback(null, socket);
    });
  };
}

/** In the form that node:net asks for: with every address when it wants to try several (RFC 8305), else with one. */
function permittedLookup(policy: AddressPolicy, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname).then(
      (found) => {
        const permitted = found.filter(({ address }) => policy.permits(address));
        const first = permitted[0];
        if (!first) callback(found.length === 0 ? new LookupFailed('no address') : new AddressRefused('resolved addresses'), '');
        else if (options.all) callback(null, [...permitted]);
        else callback(null, first.address, first.family);
      },
      (cause: unknown) => callback(cause instanceof ResolverSilent ? cause : new LookupFailed('look-up failed', { cause }), ''),
    );
  };
}
