import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Answer } from '../../web.js';
import { type ArrivedEvent, metricId, type SandboxMetric } from '../eventLog.js';
import type { Grant } from '../grantBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { SandboxProfile } from '../profileBook.js';
import type { ApiEndpoint } from './apiRoute.js';
import { JSON_API, notFound } from './jsonApi.js';
import {
  type Condition,
  type Operator,
  QueryProblem,
  type QueryRules,
  type ReadQuery,
  readingQuery,
  sparse,
  timeOf,
} from './readQuery.js';

const EVENT_FIELDS = ['datetime', 'event_properties', 'timestamp', 'uuid'];
const METRIC_FIELDS = ['name', 'created', 'updated', 'integration'];
const PROFILE_FIELDS = [
  ...['email', 'phone_number', 'external_id', 'first_name', 'last_name', 'organization', 'locale', 'title', 'image'],
  ...['created', 'updated', 'last_event_date', 'location', 'properties'],
];
const ADDITIONAL_PROFILE_FIELDS = ['subscriptions', 'predictive_analytics'];
const ORDER: readonly Operator[] = ['greater-than', 'greater-or-equal', 'less-than', 'less-or-equal'];
const FLOW_FIELDS = ['archived', 'created', 'name', 'status', 'trigger_type', 'updated'];

/** The integration of all events that arrive over the API. */
const API = { object: 'integration', id: '0eMvjm', key: 'api', name: 'API', category: 'API' };

interface Resource {
  type: string;
  id: string;
  attributes: Record<string, unknown>;
}

/** One resource type: how it is found, rendered, filtered and sorted. */
interface Collection<Item> {
  type: string;
  /** Below /api. */
  path: string;
  scope: string;
  rules: QueryRules;
  /** The limit of requests for a single item. Lists have a limit of their own. */
  limit: ApiEndpoint['limit'];
  listLimit: ApiEndpoint['limit'];
  all: (accountId: string) => Item[];
  id: (item: Item) => string;
  /** Returns the value that a filter or a sort order compares. Numbers are milliseconds since 1970. */
  value: (item: Item, field: string) => unknown;
  defaultSort: string;
  show: (item: Item, query: ReadQuery) => Resource;
  included: (items: Item[], query: ReadQuery, accountId: string) => Resource[];
}

/**
 * The GET operations on events, metrics and profiles: lists with `filter`, `sort`, `include` and pages, and each item by its id.
 */
export function readEndpoints(context: KlaviyoContext): ApiEndpoint[] {
  const url = (path: string) => `${context.options.baseUrl()}/klaviyo/api/${path}`;
  const { events, profiles } = context;

  const showMetric = (metric: SandboxMetric, { fields }: ReadQuery) => ({
    type: 'metric',
    id: metric.id,
    attributes: sparse(fields.metric, {
      name: metric.name,
      created: offset(metric.created),
      updated: offset(metric.updated),
      integration: API,
    }),
    relationships: { 'flow-triggers': { links: relationshipLinks(url(`metrics/${metric.id}`), 'flow-triggers') } },
    links: { self: url(`metrics/${metric.id}`) },
  });

  const showProfile = (profile: SandboxProfile, { fields, additional }: ReadQuery) => ({
    type: 'profile',
    id: profile.id,
    attributes: sparse(fields.profile, {
      ...Object.fromEntries(PROFILE_FIELDS.slice(0, 9).map((name) => [name, profile.attributes[name] ?? null])),
      created: offset(profile.created),
      updated: offset(profile.updated),
      last_event_date: offset(profile.lastEvent),
      location: profile.attributes.location ?? {},
      properties: profile.attributes.properties ?? {},
      ...Object.fromEntries((additional.profile ?? []).map((name) => [name, null])),
    }),
    relationships: Object.fromEntries(
      ['lists', 'segments', 'push-tokens', 'conversation'].map((name) => [
        name,
        { links: relationshipLinks(url(`profiles/${profile.id}`), name) },
      ]),
    ),
    links: { self: url(`profiles/${profile.id}`) },
  });

  const showEvent = (event: ArrivedEvent, { fields }: ReadQuery) => {
    const self = url(`events/${event.id}`);
    const metric = metricId(event.accountId, event.metric);
    return {
      type: 'event',
      id: event.id,
      attributes: sparse(fields.event, {
        timestamp: Math.floor(Date.parse(event.time) / 1_000),
        event_properties: {
          ...event.properties,
          ...(event.uniqueId !== undefined && { $event_id: event.uniqueId }),
          ...(event.value !== undefined && { $value: event.value }),
          ...(event.valueCurrency !== undefined && { $value_currency: event.valueCurrency }),
        },
        datetime: offset(event.time),
        uuid: uuidOf(event.id),
      }),
      relationships: {
        profile: { data: { type: 'profile', id: event.profileId }, links: relationshipLinks(self, 'profile') },
        metric: { data: { type: 'metric', id: metric }, links: relationshipLinks(self, 'metric') },
        attributions: { data: [], links: relationshipLinks(self, 'attributions') },
      },
      links: { self },
    };
  };

  const eventCollection: Collection<ArrivedEvent> = {
    ...{ type: 'event', path: 'events', scope: 'events:read' },
    rules: {
      fields: { event: EVENT_FIELDS, metric: METRIC_FIELDS, profile: PROFILE_FIELDS, attribution: [] },
      include: ['metric', 'profile', 'attributions'],
      filter: {
        ...{ metric_id: ['equals'], profile_id: ['equals'], metric: ['has'], profile: ['has'] },
        ...{ datetime: ORDER, timestamp: ORDER },
      },
      sort: ['datetime', 'timestamp'],
      page: { size: 200, most: 1_000 },
    },
    limit: { perSecond: 10, perMinute: 150 },
    listLimit: { perSecond: 350, perMinute: 3_500 },
    all: (accountId) => events.list(accountId),
    id: (event) => event.id,
    value: (event, field) => {
      if (field === 'metric_id') return metricId(event.accountId, event.metric);
      return field === 'profile_id' ? event.profileId : Date.parse(event.time);
    },
    defaultSort: '-datetime',
    show: showEvent,
    included: (shown, query, accountId) => [
      ...(query.include.includes('metric')
        ? events
            .metrics(accountId)
            .filter(({ name }) => shown.some((event) => event.metric === name))
            .map((metric) => showMetric(metric, query))
        : []),
      ...(query.include.includes('profile')
        ? [...new Set(shown.map((event) => event.profileId))].flatMap((id) => {
            const profile = profiles.find(accountId, id);
            return profile ? [showProfile(profile, query)] : [];
          })
        : []),
    ],
  };

  const metricCollection: Collection<SandboxMetric> = {
    ...{ type: 'metric', path: 'metrics', scope: 'metrics:read' },
    rules: {
      fields: { metric: METRIC_FIELDS, flow: FLOW_FIELDS },
      include: ['flow-triggers'],
      filter: { 'integration.name': ['equals'], 'integration.category': ['equals'] },
      page: { size: 200 },
    },
    ...{ limit: { perSecond: 10, perMinute: 150 }, listLimit: { perSecond: 10, perMinute: 150 } },
    all: (accountId) => events.metrics(accountId),
    id: (metric) => metric.id,
    value: (metric, field) => {
      if (field === 'integration.name') return API.name;
      return field === 'integration.category' ? API.category : metric.name;
    },
    defaultSort: 'name',
    show: showMetric,
    included: () => [],
  };

  const profileCollection: Collection<SandboxProfile> = {
    ...{ type: 'profile', path: 'profiles', scope: 'profiles:read' },
    rules: {
      fields: { profile: [...PROFILE_FIELDS, ...ADDITIONAL_PROFILE_FIELDS], 'push-token': [], conversation: ['channel'] },
      additional: { profile: ADDITIONAL_PROFILE_FIELDS },
      include: ['push-tokens', 'conversation'],
      filter: {
        ...{ id: ['equals', 'any'], email: ['equals', 'any'], phone_number: ['equals', 'any'], external_id: ['equals', 'any'] },
        ...{ created: ['greater-than', 'less-than'], updated: ['greater-than', 'less-than'] },
      },
      sort: ['id', 'created', 'updated', 'email'],
      page: { size: 20, most: 100 },
    },
    ...{ limit: { perSecond: 75, perMinute: 700 }, listLimit: { perSecond: 75, perMinute: 750 } },
    all: (accountId) => profiles.list(accountId),
    id: (profile) => profile.id,
    value: (profile, field) => {
      if (field === 'id') return profile.id;
      return field === 'created' || field === 'updated' ? profile[field] : profile.attributes[field];
    },
    defaultSort: 'id',
    show: showProfile,
    included: () => [],
  };

  return [
    ...collectionEndpoints(eventCollection, url),
    ...collectionEndpoints(metricCollection, url),
    ...collectionEndpoints(profileCollection, url),
  ];
}

function collectionEndpoints<Item>(collection: Collection<Item>, url: (path: string) => string): ApiEndpoint[] {
  const { path, scope, rules, type } = collection;
  const common = { method: 'GET', scope, counter: 'readRequests' } as const;
  const { fields, additional, include } = rules;
  return [
    {
      ...{ ...common, path: `/klaviyo/api/${path}`, limit: collection.listLimit },
      handle: (request, grant) =>
        readingQuery(request, rules, (query) => listAnswer(collection, query, request, grant, url(path))),
    },
    {
      ...{ ...common, path: `/klaviyo/api/${path}/:id`, limit: collection.limit },
      handle: (request, grant) =>
        readingQuery(request, { fields, additional, include }, (query) => {
          const { id } = request.params as { id: string };
          const item = collection.all(grant.accountId).find((candidate) => collection.id(candidate) === id);
          if (!item) return notFound(`There is no ${type} with this id.`);
          const included = query.include.length > 0 ? { included: collection.included([item], query, grant.accountId) } : {};
          return answer({ data: collection.show(item, query), links: { self: url(`${path}/${id}`) }, ...included });
        }),
    },
  ];
}

const answer = (json: unknown): Answer => ({ status: 200, type: JSON_API, json });

/**
 * Returns one page. A cursor names the resource after which (`n`) or before which (`p`) the page lies, so new resources do not
 * shift pages.
 */
function listAnswer<Item>(
  collection: Collection<Item>,
  query: ReadQuery,
  request: FastifyRequest,
  { accountId }: Grant,
  self: string,
): Answer {
  const { id, value } = collection;
  const sort = query.sort ?? collection.defaultSort;
  const field = sort.replace(/^-/, '');
  const direction = sort.startsWith('-') ? -1 : 1;
  const items = collection
    .all(accountId)
    .filter((item) => query.filter.every((condition) => holds(condition, value(item, condition.field))))
    .map((item, index) => ({ item, index, key: value(item, field) ?? '' }))
    .sort((a, b) => direction * (a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index))
    .map(({ item }) => item);

  const [, side, place] = /^([np])(.+)$/s.exec(Buffer.from(query.cursor ?? '', 'base64url').toString()) ?? [];
  const at = items.findIndex((item) => id(item) === place);
  if (query.cursor !== undefined && at < 0)
    throw new QueryProblem('page[cursor]', 'This is no cursor, or what it stood for is gone.');
  const start = side === 'p' ? Math.max(0, at - query.pageSize) : at + 1;
  const page = items.slice(start, side === 'p' ? at : start + query.pageSize);

  const link = (letter: 'n' | 'p', item: Item | undefined) => {
    if (!item) return null;
    const parameters = new URL(request.url, 'http://sandbox').searchParams;
    parameters.set('page[cursor]', Buffer.from(`${letter}${id(item)}`).toString('base64url'));
    return `${self}?${parameters}`;
  };
  const [, search] = request.url.split('?');
  const [first] = page;
  return answer({
    data: page.map((item) => collection.show(item, query)),
    links: {
      self: search ? `${self}?${search}` : self,
      next: start + page.length < items.length ? link('n', page.at(-1)) : null,
      prev: start > 0 ? link('p', first) : null,
    },
    ...(query.include.length > 0 && { included: collection.included(page, query, accountId) }),
  });
}

function holds({ operator, field, value }: Condition, actual: unknown): boolean {
  const comparable = (one: unknown) => (field === 'email' ? String(one ?? '').toLowerCase() : String(one ?? ''));
  const same = (one: unknown) => comparable(one) === comparable(actual);
  if (operator === 'has') return true;
  if (operator === 'any') return (value as unknown[]).some(same);
  if (operator === 'equals') return same(value);
  const limit = timeOf(field, value);
  const time = Number(actual);
  if (operator === 'greater-than') return time > limit;
  if (operator === 'greater-or-equal') return time >= limit;
  return operator === 'less-than' ? time < limit : time <= limit;
}

/** Derives an event's UUID (version 8, RFC 9562) from its id. */
function uuidOf(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const relationshipLinks = (self: string, name: string) => ({ self: `${self}/relationships/${name}`, related: `${self}/${name}` });

/** Formats a time in Klaviyo's ISO 8601 format: to the second, with an offset. */
const offset = (time: string | number): string => new Date(time).toISOString().replace(/(\.\d+)?Z$/, '+00:00');
