import {
  connectionAccountChanged,
  connectionAuthorizationCompleted,
  connectionDisabled,
  connectionReauthorizationRequired,
  connectionScopesMissing,
} from './connectionEvents.js';
import type { EventTypeDefinition } from './eventTypeRegistry.js';
import { parcelEventCreated } from './parcelEvents.js';

/** Every event type of this server. A new one is a file of its own and a line here. */
export const eventTypes: readonly EventTypeDefinition[] = [
  parcelEventCreated,
  connectionAuthorizationCompleted,
  connectionReauthorizationRequired,
  connectionAccountChanged,
  connectionScopesMissing,
  connectionDisabled,
];
