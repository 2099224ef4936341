import type { FastifyInstance } from 'fastify';
import { broadcastTestEvent } from '../../delivery/broadcastTestEvent.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import type { GraphQLDependencies } from '../../graphql/GraphQLDependencies.js';
import { createSubscription } from '../../subscriptions/createSubscription.js';
import { deleteSubscription } from '../../subscriptions/deleteSubscription.js';
import { findSubscription } from '../../subscriptions/findSubscription.js';
import { listSubscriptions } from '../../subscriptions/listSubscriptions.js';
import { updateSubscription } from '../../subscriptions/updateSubscription.js';
import { answerInputErrors } from './answerInputErrors.js';
import { callerOf } from './callerOf.js';
import { listAll, MAX_ROWS } from './listAll.js';
import { operation } from './operation.js';
import { presentSubscription } from './present.js';
import { commonErrors, errorResponses } from './schemas/errorSchemas.js';
import { dataResponse, idParams, listOf, ref } from './schemas/sharedSchemas.js';
import { createSubscriptionBody, listSubscriptionsQuery, updateSubscriptionBody } from './schemas/subscriptionSchemas.js';

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
const describe = (operationId: string, summary: string, tag = 'Subscriptions') => ({ operationId, summary, tags: [tag] });

/** The operations on subscriptions, and the test broadcast (OpenAPI, tags Subscriptions and Broadcast). */
export function subscriptionRoutes(app: FastifyInstance, dependencies: GraphQLDependencies): void {
  const eventTypes = dependencies.eventTypes.list().map(({ name }) => name);

  app.post<{ Body: Required<Pick<Fields, 'connection_id' | 'event_type'>> & Fields }>(
    PATH,
    {
      schema: operation({
        ...describe('create_subscription', 'Create a subscription'),
        body: createSubscriptionBody(eventTypes),
        response: { 201: dataResponse('Created', ref('subscription')), ...commonErrors },
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
        ...describe('list_subscriptions', 'List subscriptions'),
        description: `All of the organization's subscriptions, newest first; the newest ${MAX_ROWS} if there are more.`,
        querystring: listSubscriptionsQuery,
        response: { 200: dataResponse('OK', listOf('subscription')), ...commonErrors },
      }),
    },
    async (request) => {
      const filter = { eventType: request.query.event_type, isActive: request.query.is_active };
      const rows = await listAll((args) => listSubscriptions(dependencies, callerOf(request), args, filter));
      return { data: rows.map(presentSubscription) };
    },
  );

  app.get<ById>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('get_subscription', 'Get a subscription'),
        params,
        response: { 200: dataResponse('OK', ref('subscription')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const subscription = await findSubscription(dependencies, callerOf(request), request.params.id);
      if (!subscription) throw new SwitchboardError('NOT_FOUND', 'There is no such subscription.');
      return { data: presentSubscription(subscription) };
    },
  );

  app.patch<ById & { Body: Fields }>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('patch_subscription', 'Update a subscription'),
        description: 'Only what is given changes. `is_active: false` pauses it.',
        params,
        body: updateSubscriptionBody(eventTypes),
        response: { 200: dataResponse('OK', ref('subscription')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const { connection_id, event_type: eventType, is_active: isActive } = request.body;
      const connectionId = connection_id === undefined ? undefined : String(connection_id);
      const input = { id: request.params.id, connectionId, eventType, isActive };
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
        ...describe('delete_subscription', 'Delete a subscription'),
        description: 'What it still had to deliver is cancelled.',
        params,
        response: { 204: { description: 'No Content' }, ...commonErrors, ...notFound },
      }),
    },
    async (request, reply) => {
      const { id } = request.params;
      await answerInputErrors({ fromPath: 'id' }, () => deleteSubscription(dependencies, callerOf(request), { id }));
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { subscription_id: string } }>(
    '/broadcast/test/:subscription_id',
    {
      schema: operation({
        ...describe('test_broadcast', 'Broadcast test event', 'Broadcast'),
        description: "Sends a sample event to the subscription's destination, as any delivery is sent, and waits for the answer.",
        params: idParams('subscription_id', 'The id of the subscription.'),
        response: { 200: dataResponse('OK', ref('broadcast-result')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const subscriptionId = request.params.subscription_id;
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
