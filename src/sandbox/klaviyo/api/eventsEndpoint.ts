import type { KlaviyoContext } from '../klaviyoContext.js';
import type { ApiEndpoint } from './apiRoute.js';
import { checkEvent } from './checkEvent.js';
import { checkProfile } from './checkProfile.js';
import { type ErrorPlace, invalidInput } from './jsonApiError.js';
import { MOST_BODY_BYTES, readJsonApiBody } from './readJsonApiBody.js';
import { recordEvent } from './recordEvent.js';

/** POST /api/events: one event. A repetition is answered like the first. */
export const eventsEndpoint = (context: KlaviyoContext): ApiEndpoint => ({
  method: 'POST',
  path: '/klaviyo/api/events',
  scope: 'events:write',
  limit: { perSecond: 350, perMinute: 3_500 },
  counter: 'eventRequests',
  bodyLimit: MOST_BODY_BYTES,
  handle(request, grant) {
    const { attributes, error } = readJsonApiBody(request, 'event');
    if (error) return error;
    const errors: ErrorPlace[] = [];
    const profile = checkProfile(attributes.profile, '/data/attributes/profile', errors);
    const event = checkEvent(attributes, profile ?? { profile: {}, profileKey: '' }, '/data/attributes', context.now(), errors);
    if (errors.length > 0) return invalidInput(errors.slice(0, 20));
    recordEvent(context, grant.accountId, event, 'single');
    return { status: 202 };
  },
});
