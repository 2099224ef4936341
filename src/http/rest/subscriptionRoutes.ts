import type { FastifyInstance } from 'fastify';
import { broadcastTestEvent } from '../../delivery/broadcastTestEvent.js';
import type { Caller } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Subscription } from '../../domain/Subscription.js';
import { createSubscription } from '../../subscriptions/createSubscription.js';
import { deleteSubscription } from '../../subscriptions/deleteSubscription.js';
import { findSubscription, listSubscriptions } from '../../subscriptions/listSubscriptions.js';
import { updateSubscription } from '../../subscriptions/updateSubscription.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import { callerOf, operation, operationId } from './operation.js';
import { listAll, MAX_ROWS, presentSubscription } from './present.js';
import {
  commonErrors,
  createSubscriptionBody,
  dataResponse,
  errorResponses,
  idParams,
  keyErrors,
  listOf,
  listSubscriptionsQuery,
  ref,
  updateSubscriptionBody,
} from './schemas.js';
import { answerInputErrors } from './validation.js';

interface Fields {
  readonly connection_id?: number;
  readonly event_type?: string;
  readonly is_active?: boolean;
}
interface ById {
  Params: { id: string };
}

const PATH = '/subscriptions';
const params = idParams('id', 'The id of the subscription.');
const notFound = errorResponses('NOT_FOUND');
const describe = (name: string, summary: string, tag = 'Subscriptions') => ({
  operationId: operationId(name),
  summary,
  tags: [tag],
});

/**
 * Adds the operations on subscriptions, and the test broadcast (OpenAPI, tags Subscriptions and Broadcast). `eventTypes` are
 * the event types of REST. A subscription to another type is "not found".
 */
export function subscriptionRoutes(app: FastifyInstance, dependencies: UseCaseDependencies, eventTypes: readonly string[]): void {
  const find = async (caller: Caller, id: string): Promise<Subscription> => {
    const subscription = await findSubscription(dependencies, caller, id);
    if (subscription && eventTypes.includes(subscription.eventType)) return subscription;
    throw new SwitchboardError('NOT_FOUND', 'There is no such subscription.');
  };

  app.post<{ Body: Required<Pick<Fields, 'connection_id' | 'event_type'>> & Fields }>(
    PATH,
    {
      schema: operation({
        ...describe('post-create_subscription', 'Create a subscription'),
        body: createSubscriptionBody(eventTypes),
        bodyName: 'subscription-create-request',
        response: { 201: dataResponse('Created', ref('subscription')), ...commonErrors, ...keyErrors },
      }),
    },
    async (request, reply) => {
      const { connection_id, event_type: eventType, is_active: isActive } = request.body;
      const subscription = await answerInputErrors({}, () =>
        createSubscription(dependencies, callerOf(request), { connectionId: String(connection_id), eventType, isActive }),
      );
      reply.code(201).header('location', `${request.url.split('?', 1)[0]}/${subscription.id}`);
      return { data: presentSubscription(subscription) };
    },
  );

  app.get<{ Querystring: Fields }>(
    PATH,
    {
      schema: operation({
        ...describe('get-list_subscriptions', 'List subscriptions'),
        description: `All of the organization's subscriptions, newest first; the newest ${MAX_ROWS} if there are more.`,
        querystring: listSubscriptionsQuery,
        response: { 200: dataResponse('OK', listOf('subscription')), ...commonErrors },
      }),
    },
    async (request) => {
      const { event_type: eventType, is_active: isActive } = request.query;
      if (eventType !== undefined && !eventTypes.includes(eventType)) return { data: [] };
      const filter = { eventType, eventTypes, isActive };
      const rows = await listAll((args) => listSubscriptions(dependencies, callerOf(request), args, filter));
      return { data: rows.map(presentSubscription) };
    },
  );

  app.get<ById>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('get-subscription', 'Get a subscription'),
        params,
        response: { 200: dataResponse('OK', ref('subscription')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      return { data: presentSubscription(await find(callerOf(request), request.params.id)) };
    },
  );

  app.patch<ById & { Body: Fields }>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('patch-subscription', 'Update a subscription'),
        description: 'Only what is given changes. `is_active: false` pauses it.',
        params,
        body: updateSubscriptionBody(eventTypes),
        bodyName: 'subscription-update-request',
        response: { 200: dataResponse('OK', ref('subscription')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const { connection_id, event_type: eventType, is_active: isActive } = request.body;
      const connectionId = connection_id === undefined ? undefined : String(connection_id);
      const input = { id: request.params.id, connectionId, eventType, isActive };
      await find(callerOf(request), input.id);
      const subscription = await answerInputErrors({ fromPath: 'id' }, () =>
        updateSubscription(dependencies, callerOf(request), input),
      );
      return { data: presentSubscription(subscription) };
    },
  );

  app.delete<ById>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('delete-subscription', 'Delete a subscription'),
        description: 'What it still had to deliver is cancelled.',
        params,
        response: { 204: { description: 'No Content' }, ...commonErrors, ...notFound },
      }),
    },
    async (request, reply) => {
      const { id } = request.params;
      await find(callerOf(request), id);
      await answerInputErrors({ fromPath: 'id' }, () => deleteSubscription(dependencies, callerOf(request), { id }));
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { subscription_id: string } }>(
    '/broadcast/test/:subscription_id',
    {
      schema: operation({
        ...describe('post-test_broadcast', 'Broadcast test event', 'Broadcast'),
        description: "Sends a sample event to the subscription's destination, as any delivery is sent, and waits for the answer.",
        params: idParams('subscription_id', 'The id of the subscription.'),
        response: { 200: dataResponse('OK', ref('broadcast-result')), ...commonErrors, ...notFound, ...keyErrors },
      }),
    },
    async (request) => {
      const subscriptionId = request.params.subscription_id;
      await find(callerOf(request), subscriptionId);
      const { success, statusCode, responseBody, error } = await answerInputErrors({ fromPath: 'subscriptionId' }, () =>
        broadcastTestEvent(dependencies, callerOf(request), { subscriptionId }),
      );
      return {
        data: {
          success,
          ...(statusCode === null ? {} : { status_code: statusCode }),
          ...(responseBody === null ? {} : { response_body: responseBody }),
          ...(error ? { error: error.message } : {}),
        },
      };
    },
  );
}
