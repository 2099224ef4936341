import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import { newId } from '../database/newId.js';
import type { Caller } from '../domain/Caller.js';
import { contentOf } from './contentOf.js';
import type { NewEvent } from './insertEvents.js';
import type { PublishEventInput } from './PublishEventInput.js';

/** The row of an event that was checked. `payload` is its data as JSON text. */
export function newEvent(
  cipher: Cipher,
  { organizationId }: Pick<Caller, 'organizationId'>,
  input: PublishEventInput,
  payload: string,
): NewEvent {
  const id = newId();
  const { eventType, data, recipient, idempotencyKey = null, orderingKey = null } = input;
  const { occurredAt = null, value = null, valueCurrency = null } = input;
  const properties = input.properties && Object.keys(input.properties).length > 0 ? input.properties : null;
  return {
    id,
    organizationId,
    eventType,
    payload,
    recipient: recipient ? cipher.encrypt(JSON.stringify(recipient), columnIdentity.recipient(id)) : null,
    occurredAt,
    value,
    valueCurrency,
    properties: properties && cipher.encrypt(JSON.stringify(properties), columnIdentity.properties(id)),
    idempotencyKey,
    orderingKey,
    contentHash:
      idempotencyKey === null
        ? null
        : cipher.fingerprint(
            contentOf({ eventType, data, recipient, occurredAt, value, valueCurrency, properties }),
            `events:${organizationId}:${idempotencyKey}`,
          ),
    createdAt: new Date(),
  };
}
