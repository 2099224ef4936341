import { registerEnumType } from 'type-graphql';

export const DeliveryStatusEnum = {
  PENDING: 'pending',
  RETRYING: 'retrying',
  HELD: 'held',
  DELIVERED: 'delivered',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
} as const;
registerEnumType(DeliveryStatusEnum, {
  name: 'DeliveryStatus',
  description: 'What became of an event for one subscription.',
  valuesConfig: {
    PENDING: { description: 'Waits for its first attempt.' },
    RETRYING: { description: 'At least one attempt did not work; another follows at nextAttemptAt.' },
    HELD: { description: 'Waits until its connection is active again. Nothing is lost.' },
    DELIVERED: { description: 'The destination took it.' },
    FAILED: { description: 'Every attempt failed, or none could work. retryDelivery tries again.' },
    CANCELLED: { description: 'Its subscription or connection was deleted first.' },
    EXPIRED: {
      description:
        'It waited for longer than DELIVERY_MAX_AGE_DAYS, and was not sent. retryDelivery sends it, with all its retries.',
    },
  },
});

export const ReplayStatusEnum = { RUNNING: 'running', COMPLETED: 'completed', CANCELLED: 'cancelled' } as const;
registerEnumType(ReplayStatusEnum, {
  name: 'ReplayStatus',
  description: 'Current status of a replay.',
  valuesConfig: {
    RUNNING: { description: 'More deliveries are being put on their way.' },
    COMPLETED: { description: 'All of them are on their way again.' },
    CANCELLED: { description: 'It was stopped; what was on its way by then goes on.' },
  },
});

export const AttemptTriggerEnum = { AUTOMATIC: 'automatic', MANUAL: 'manual', TEST: 'test' } as const;
registerEnumType(AttemptTriggerEnum, {
  name: 'AttemptTrigger',
  description: 'Who wanted an attempt.',
  valuesConfig: {
    AUTOMATIC: { description: 'The schedule.' },
    MANUAL: { description: 'Somebody, with retryDelivery or replayDeliveries.' },
    TEST: { description: 'Somebody, with broadcastTestEvent.' },
  },
});
