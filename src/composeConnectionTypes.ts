import type { ConnectionServices, ConnectionType, CountedChore, OpenConnectionType } from './ConnectionType.js';
import type { Config } from './config.js';
import { createGuardedHttp } from './delivery/http/guardedHttp.js';
import type { OperatorAlarms } from './domain/OperatorAlarm.js';
import { type Providers, raisingAlarms } from './oauth/Provider.js';

type Described = Omit<ConnectionType, 'open'>;

/** The open connection types in the forms that the folders need. The key of each map is the type's name. */
export interface OpenConnectionTypes {
  readonly connectionTypes: ReadonlyMap<string, Described & OpenConnectionType>;
  readonly destinations: ReadonlyMap<string, OpenConnectionType['destination']>;
  readonly providers: Providers;
  readonly chores: readonly CountedChore[];
}

/** Opens each type. Throws when two have the same name, or when the parts of one do not fit together. */
export function openConnectionTypes<Services>(
  types: readonly ConnectionType<Services>[],
  services: Services,
  alarms: OperatorAlarms,
): OpenConnectionTypes {
  const connectionTypes = new Map<string, Described & OpenConnectionType>();
  const providers = new Map<string, OpenConnectionType['provider']>();
  for (const { open, ...described } of types) {
    const { name, needsAuthorization } = described;
    const opened = open(services);
    if (connectionTypes.has(name)) throw new Error(`There are two connection types with the name ${name}.`);
    if (opened.destination.type !== name)
      throw new Error(`The destination of ${name} says that it is ${opened.destination.type}.`);
    if (opened.provider && (!needsAuthorization || opened.provider.id !== name))
      throw new Error(`The provider ${opened.provider.id} does not fit the connection type ${name}.`);
    connectionTypes.set(name, { ...described, ...opened });
    if (needsAuthorization) providers.set(name, opened.provider && raisingAlarms(opened.provider, alarms));
  }
  const opened = [...connectionTypes.values()];
  return {
    connectionTypes,
    providers,
    destinations: new Map(opened.map(({ name, destination }) => [name, destination])),
    chores: opened.flatMap(({ chores = [] }) => chores),
  };
}

/** Creates the HTTP client for addresses that merchants choose, with its limits. */
export function composeHttp(
  { embedded, delivery }: Config,
  closing: AsyncDisposableStack,
): Pick<ConnectionServices, 'http' | 'allowPrivateNetworks' | 'timeoutMs'> {
  const { timeoutMs } = delivery;
  // In embedded mode everything runs on one machine, including receivers.
  const allowPrivateNetworks = [...(embedded ? ['127.0.0.0/8', '::1/128'] : []), ...delivery.allowPrivateNetworks];
  const http = createGuardedHttp({ allowPrivateNetworks, timeoutMs });
  closing.defer(() => http.close());
  return { http, allowPrivateNetworks, timeoutMs };
}
