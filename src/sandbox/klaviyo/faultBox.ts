import { randomUUID } from 'node:crypto';

/** Which endpoints a fault strikes. `both` is token and api; the revocation endpoint has to be named. */
export type FaultTarget = 'token' | 'api' | 'both' | 'revoke' | 'all';
export type Endpoint = 'token' | 'api' | 'revoke';

/** Faults that take the place of an answer, or delay it. */
export const INTERRUPTIONS = [
  'throttle',
  'server_error',
  'unavailable',
  'bad_gateway_html',
  'edge_challenge',
  'hang',
  'reset',
  'big_body',
  'slow',
  'invalid_client',
  'invalid_grant',
  'unauthorized',
  'permission_denied',
] as const;

/** Faults that bend a successful answer of the token endpoint. */
export const TOKEN_SHAPES = ['omit_refresh_token', 'rotate_refresh_token', 'omit_expires_in', 'expires_in_string'] as const;

export type Interruption = (typeof INTERRUPTIONS)[number];
export type TokenShape = (typeof TOKEN_SHAPES)[number];
export type FaultKind = Interruption | TokenShape;

export interface FaultOrder {
  kind: FaultKind;
  /** `both` unless said otherwise; token shapes strike the token endpoint whatever is said. */
  target?: FaultTarget;
  /** How many requests it strikes. Without it: until cleared, or until its time is over. */
  count?: number;
  /** throttle: how long it lasts (default 1). slow: the delay (default 5). unavailable: its Retry-After (default none). */
  seconds?: number;
  /** Does the work first, then loses the answer: what a connection cut in the wrong moment looks like. */
  afterEffect?: boolean;
}

export interface ActiveFault extends FaultOrder {
  id: string;
  target: FaultTarget;
  /** Milliseconds since 1970 at which a throttle ends. */
  until?: number;
}

const MOST_FAULTS = 100;
const ONLY_ENDPOINTS: Partial<Record<FaultKind, Endpoint[]>> = {
  invalid_client: ['token', 'revoke'],
  invalid_grant: ['token'],
  unauthorized: ['api'],
  permission_denied: ['api'],
};

const strikes = (fault: ActiveFault, endpoint: Endpoint): boolean => {
  if (ONLY_ENDPOINTS[fault.kind]?.includes(endpoint) === false) return false;
  return fault.target === 'all' || fault.target === endpoint || (fault.target === 'both' && endpoint !== 'revoke');
};

/** The faults that wait for their request, first come, first served. */
export class FaultBox {
  private faults: ActiveFault[] = [];

  constructor(private readonly now: () => number) {}

  add(order: FaultOrder): ActiveFault {
    if (this.faults.length >= MOST_FAULTS) throw new RangeError(`The sandbox keeps at most ${MOST_FAULTS} faults`);
    const fault: ActiveFault = { ...order, id: randomUUID(), target: order.target ?? 'both' };
    if ((TOKEN_SHAPES as readonly string[]).includes(order.kind)) fault.target = 'token';
    if (order.kind === 'throttle') fault.until = this.now() + (order.seconds ?? 1) * 1_000;
    this.faults.push(fault);
    return fault;
  }

  /** Takes the fault that an interruption of this endpoint is due to suffer, and counts it down. */
  takeInterruption(endpoint: Endpoint): ActiveFault | undefined {
    return this.take(endpoint, INTERRUPTIONS);
  }

  takeTokenShapes(): Set<FaultKind> {
    const shapes = TOKEN_SHAPES.map((shape) => this.take('token', [shape])?.kind);
    return new Set(shapes.filter((kind) => kind !== undefined));
  }

  list(): ActiveFault[] {
    this.faults = this.faults.filter((fault) => fault.until === undefined || fault.until > this.now());
    return [...this.faults];
  }

  clear(id?: string): void {
    this.faults = id === undefined ? [] : this.faults.filter((fault) => fault.id !== id);
  }

  private take(endpoint: Endpoint, kinds: readonly FaultKind[]): ActiveFault | undefined {
    const fault = this.list().find((candidate) => kinds.includes(candidate.kind) && strikes(candidate, endpoint));
    if (fault?.count !== undefined && --fault.count <= 0) this.clear(fault.id);
    return fault;
  }
}
