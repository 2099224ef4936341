import type { FastifyInstance } from 'fastify';
import type { HeldConnections } from '../heldConnections.js';
import type { SandboxOptions } from '../SandboxOptions.js';
import { stateFile } from '../stateFile.js';
import { AccountBook, type SandboxAccount } from './accountBook.js';
import { accountEndpoints } from './api/accountEndpoints.js';
import { apiRoute, unknownPaths } from './api/apiRoute.js';
import { readEndpoints } from './api/readEndpoints.js';
import { bulkEventsEndpoint, eventsEndpoint } from './api/writeEndpoints.js';
import { AppBook, type AppSnapshot } from './appBook.js';
import { CodeBook } from './codeBook.js';
import { controlRoutes } from './control/controlRoutes.js';
import type { KlaviyoControl } from './control/klaviyoControl.js';
import { EventLog, type EventSnapshot } from './eventLog.js';
import { FaultBox } from './faults.js';
import { GrantBook, type GrantSnapshot } from './grantBook.js';
import type { KlaviyoContext } from './klaviyoContext.js';
import { newCounters } from './klaviyoCounters.js';
import { authorizeRoutes } from './oauth/authorizeRoutes.js';
import { revokeRoute, tokenRoute } from './oauth/tokenRoutes.js';
import { ProfileBook, type ProfileSnapshot } from './profileBook.js';
import { RateWindows } from './rateWindows.js';

interface Snapshot {
  version: 1;
  accounts: SandboxAccount[];
  grants: GrantSnapshot;
  events: EventSnapshot[];
  /** Absent in files of older versions. */
  apps?: AppSnapshot;
  profiles?: ProfileSnapshot[];
}

/** Constructs the parts of Klaviyo and loads their state from the state file. */
export function createKlaviyo(
  options: SandboxOptions,
  held: HeldConnections,
): { context: KlaviyoContext; flush: () => Promise<void> } {
  const now = options.now ?? Date.now;
  const apps = new AppBook(options);
  const accounts = new AccountBook();
  const grants = new GrantBook(now, options.accessTokenSeconds);
  const events = new EventLog(now);
  const profiles = new ProfileBook(now);
  const file =
    options.stateFile === undefined
      ? undefined
      : stateFile<Snapshot>(options.stateFile, () => ({
          version: 1,
          accounts: accounts.snapshot(),
          grants: grants.snapshot(),
          events: events.snapshot(),
          apps: apps.snapshot(),
          profiles: profiles.snapshot(),
        }));
  const saved = file?.load();
  if (saved?.version === 1) {
    accounts.restore(saved.accounts);
    grants.restore(saved.grants);
    events.restore(saved.events);
    if (saved.apps) apps.restore(saved.apps);
    if (saved.profiles) profiles.restore(saved.profiles);
  }
  const context: KlaviyoContext = {
    options,
    now,
    apps,
    accounts,
    grants,
    events,
    profiles,
    codes: new CodeBook(now),
    rates: new RateWindows(now),
    faults: new FaultBox(now),
    held,
    counters: newCounters(),
    changed: () => file?.changed(),
  };
  return { context, flush: async () => file?.flush() };
}

/** Registers all of Klaviyo's routes: OAuth, the API, and the control page. */
export function klaviyoRoutes(app: FastifyInstance, context: KlaviyoContext, control: KlaviyoControl): void {
  authorizeRoutes(app, context);
  tokenRoute(app, context);
  revokeRoute(app, context);
  const endpoints = [
    ...accountEndpoints(context),
    eventsEndpoint(context),
    bulkEventsEndpoint(context),
    ...readEndpoints(context),
  ];
  for (const endpoint of endpoints) apiRoute(app, context, endpoint);
  unknownPaths(app, endpoints);
  controlRoutes(app, control, context.options);
}
