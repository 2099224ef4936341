import { connectionAccountChanged } from './connections/connectionAccountChanged.js';
import { connectionAuthorizationCompleted } from './connections/connectionAuthorizationCompleted.js';
import { connectionDisabled } from './connections/connectionDisabled.js';
import { connectionReauthorizationRequired } from './connections/connectionReauthorizationRequired.js';
import { connectionScopesMissing } from './connections/connectionScopesMissing.js';
import type { EventTypeDefinition } from './eventTypeDefinition.js';
import { parcelEventCreated } from './parcels/parcelEventCreated.js';

/** Every event type of this server. A new one is a file of its own and a line here. */
export const eventTypes: readonly EventTypeDefinition[] = [
  parcelEventCreated,
  connectionAuthorizationCompleted,
  connectionReauthorizationRequired,
  connectionAccountChanged,
  connectionScopesMissing,
  connectionDisabled,
];
