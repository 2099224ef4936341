import { ApiKey } from './ApiKey.js';
import { Attempt } from './Attempt.js';
import { AuditEvent } from './AuditEvent.js';
import { Authorization } from './Authorization.js';
import { Connection } from './Connection.js';
import { Credential } from './Credential.js';
import { Delivery } from './Delivery.js';
import { DeliveryTask } from './DeliveryTask.js';
import { Event } from './Event.js';
import { Organization } from './Organization.js';
import { Session } from './Session.js';
import { Subscription } from './Subscription.js';

/** All entities, parents first. `connection_health` has no entity; only the engine uses it. */
export const entities = [
  Organization,
  ApiKey,
  Session,
  Connection,
  Authorization,
  Credential,
  Subscription,
  Event,
  Delivery,
  Attempt,
  AuditEvent,
  DeliveryTask,
] as const;
