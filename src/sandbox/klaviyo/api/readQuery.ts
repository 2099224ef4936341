import type { FastifyRequest } from 'fastify';
import type { Answer } from '../../web.js';
import { invalidInput } from './jsonApi.js';

/** The query parameters that an endpoint accepts. All others are refused. */
export interface QueryRules {
  /** `fields[event]=…`: the attributes that can be selected for each type. */
  fields: Record<string, readonly string[]>;
  /** `additional-fields[profile]=…` */
  additional?: Record<string, readonly string[]>;
  include?: readonly string[];
  /** `filter=…`: operators by field. */
  filter?: Record<string, readonly Operator[]>;
  sort?: readonly string[];
  /** `page[cursor]`, and `page[size]` if the page size can be chosen. */
  page?: { size: number; most?: number };
}

export type Operator = 'equals' | 'any' | 'has' | 'greater-than' | 'greater-or-equal' | 'less-than' | 'less-or-equal';
export type FilterValue = string | number | boolean | FilterValue[];

export interface Condition {
  operator: Operator;
  field: string;
  value: FilterValue;
}

export type SparseFields = Readonly<Record<string, readonly string[] | undefined>>;

export interface ReadQuery {
  fields: SparseFields;
  additional: SparseFields;
  include: readonly string[];
  /** All conditions must hold. */
  filter: readonly Condition[];
  /** A field name; a leading minus means descending order. */
  sort: string | undefined;
  cursor: string | undefined;
  pageSize: number;
}

/** Returns the result of `act` for a valid query, or a 400 that names the invalid parameter. */
export function readingQuery(request: FastifyRequest, rules: QueryRules, act: (query: ReadQuery) => Answer): Answer {
  try {
    return act(readQuery(new URL(request.url, 'http://sandbox').searchParams, rules));
  } catch (error) {
    if (error instanceof QueryProblem) return invalidInput([{ detail: error.message, parameter: error.parameter }]);
    throw error;
  }
}

/** An invalid query parameter. */
export class QueryProblem extends Error {
  constructor(
    readonly parameter: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Selects the requested attributes, or all when none were named. `a.b` is `b` within `a`. */
export function sparse(wanted: readonly string[] | undefined, attributes: Record<string, unknown>): Record<string, unknown> {
  if (!wanted) return attributes;
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => {
      if (wanted.includes(name)) return [[name, value]];
      const within = wanted.filter((field) => field.startsWith(`${name}.`)).map((field) => field.slice(name.length + 1));
      if (within.length === 0) return [];
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      return [[name, isObject ? sparse(within, value as Record<string, unknown>) : value]];
    }),
  );
}

function readQuery(parameters: URLSearchParams, rules: QueryRules): ReadQuery {
  const fields: Record<string, string[]> = {};
  const additional: Record<string, string[]> = {};
  for (const [parameter, value] of parameters) {
    const [, family = parameter, type = ''] = /^(fields|additional-fields)\[([\w-]+)\]$/.exec(parameter) ?? [];
    if (family === 'fields') fields[type] = readNames(parameter, value, own(rules.fields, type));
    else if (family === 'additional-fields') additional[type] = readNames(parameter, value, own(rules.additional ?? {}, type));
    else if (!isTaken(parameter, rules))
      throw new QueryProblem(parameter.slice(0, 100), 'This is not a parameter of this endpoint.');
    if (parameters.getAll(parameter).length > 1) throw new QueryProblem(parameter, 'This parameter is given more than once.');
  }
  const include = parameters.has('include') ? readNames('include', parameters.get('include') ?? '', rules.include) : [];
  const sort = parameters.get('sort') ?? undefined;
  if (sort !== undefined && !rules.sort?.includes(sort.replace(/^-/, ''))) {
    throw new QueryProblem('sort', `Sorting is by ${rules.sort?.join(', ')}, with a minus in front for the greatest first.`);
  }
  return {
    ...{ fields, additional, include, sort },
    filter: readFilter(parameters.get('filter') ?? '', rules.filter ?? {}),
    cursor: readCursor(parameters.get('page[cursor]')),
    pageSize: readPageSize(parameters.get('page[size]'), rules.page),
  };
}

/** Names come from the caller: `constructor` is no rule. */
const own = <Rule>(rules: Record<string, Rule>, name: string): Rule | undefined =>
  Object.hasOwn(rules, name) ? rules[name] : undefined;

const isTaken = (parameter: string, { include, filter, sort, page }: QueryRules): boolean =>
  (parameter === 'include' && include !== undefined) ||
  (parameter === 'filter' && filter !== undefined) ||
  (parameter === 'sort' && sort !== undefined) ||
  (parameter === 'page[cursor]' && page !== undefined) ||
  (parameter === 'page[size]' && page?.most !== undefined);

function readNames(parameter: string, value: string, known: readonly string[] | undefined): string[] {
  if (!known) throw new QueryProblem(parameter, 'This is not a parameter of this endpoint.');
  const names = value.split(',').filter(Boolean);
  const isKnown = (name: string) => name === 'id' || known.includes(name) || known.includes(name.split('.')[0] ?? '');
  if (!names.every(isKnown)) throw new QueryProblem(parameter, `The choices are ${known.join(', ')}.`);
  return names;
}

/** The SDK accepts a link as a cursor, but parses it only when it begins with https. */
function readCursor(value: string | null): string | undefined {
  if (value !== null && /^https?:/.test(value) && URL.canParse(value)) {
    return new URL(value).searchParams.get('page[cursor]') ?? undefined;
  }
  return value ?? undefined;
}

function readPageSize(value: string | null, page: QueryRules['page']): number {
  if (value === null) return page?.size ?? 0;
  const size = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (size < 1 || size > (page?.most ?? 0)) throw new QueryProblem('page[size]', `A page has 1 to ${page?.most} resources.`);
  return size;
}

const MOST_CONDITIONS = 20;
const VALUE = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]|[^,()"'[\]]+)/;

/** Parses conditions such as `equals(email,"a@example.com")`, separated by commas or within `and(…)`. */
function readFilter(text: string, rules: Record<string, readonly Operator[]>): Condition[] {
  const refuse = (detail: string): never => {
    throw new QueryProblem('filter', detail);
  };
  const conditions: Condition[] = [];
  let rest = text.trim().replace(/^and\((.*)\)$/s, '$1');
  while (rest !== '') {
    const [head = '', operator = '', field = ''] =
      /^([a-z-]+)\(\s*([\w.]+)\s*/.exec(rest) ?? refuse('This is no filter, as equals(field,"value").');
    rest = rest.slice(head.length);
    const operators = own(rules, field) ?? refuse(`The fields to filter by are ${Object.keys(rules).join(', ')}.`);
    const known = operators.find((name) => name === operator) ?? refuse(`The operators of ${field} are ${operators.join(', ')}.`);
    let value: FilterValue = true;
    if (known !== 'has') {
      const [all = '', written = ''] =
        new RegExp(`^,\\s*(${VALUE.source.slice(1)})\\s*`).exec(rest) ?? refuse(`${field} is compared with no value.`);
      value = readValue(written, refuse);
      if (Array.isArray(value) !== (known === 'any'))
        refuse(`any takes a list, and ${field} with another operator a single value.`);
      rest = rest.slice(all.length);
    }
    if (/^(greater|less)-/.test(known) && Number.isNaN(timeOf(field, value))) refuse(`${field} is compared with a time only.`);
    conditions.push({ operator: known, field, value });
    if (conditions.length > MOST_CONDITIONS) refuse(`A filter has at most ${MOST_CONDITIONS} conditions.`);
    const [end = ''] =
      /^\)\s*(?:$|,\s*(?=\S))/.exec(rest) ?? refuse('A condition ends with a parenthesis, and a comma before the next one.');
    rest = rest.slice(end.length);
  }
  return conditions;
}

/** Converts a filter's value to milliseconds since 1970: a timestamp is in seconds, other times are in ISO 8601. */
export const timeOf = (field: string, value: FilterValue): number =>
  field === 'timestamp' ? Number(value) * 1_000 : Date.parse(String(value));

function readValue(written: string, refuse: (detail: string) => never): FilterValue {
  const text = written.trim();
  try {
    if (text.startsWith('[')) return JSON.parse(text.replace(/'([^']*)'/g, (_, inner) => JSON.stringify(inner)));
    if (text.startsWith('"')) return JSON.parse(text);
  } catch {
    return refuse('This is no value.');
  }
  if (text.startsWith("'")) return text.slice(1, -1);
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}
