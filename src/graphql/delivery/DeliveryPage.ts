import { pageTypes } from '../pagination/pageTypes.js';
import { DeliveryObject } from './DeliveryObject.js';

export const DeliveryPage = pageTypes('Delivery', 'deliveries', () => DeliveryObject);
