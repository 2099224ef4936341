import {
  connectionAccountChanged,
  connectionAuthorizationCompleted,
  connectionDisabled,
  connectionReauthorizationRequired,
  connectionScopesMissing,
} from './connectionEvents.js';
import type { EventTypeDefinition } from './eventTypeRegistry.js';
import { parcelEventCreated } from './parcelEvents.js';

/** Every event type of this server. To add one, write a file for it and add a line here. */
export const eventTypes: readonly EventTypeDefinition[] = [
  parcelEventCreated,
  connectionAuthorizationCompleted,
  connectionReauthorizationRequired,
  connectionAccountChanged,
  connectionScopesMissing,
  connectionDisabled,
];
