import { pageTypes } from '../pagination/pageTypes.js';
import { SubscriptionObject } from './SubscriptionObject.js';

export const SubscriptionPage = pageTypes('Subscription', 'subscriptions', () => SubscriptionObject);
