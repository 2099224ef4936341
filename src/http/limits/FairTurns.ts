import { performance } from 'node:perf_hooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Platform } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/errors.js';

/** Above this share of its time, a process has so much to do that callers get in each other's way. */
const BUSY = 0.7;
/** ms over which that share is measured, and for which a busy process counts as busy. */
const SAMPLE_MS = 100;
const STAYS_BUSY_MS = 2_000;
/** What somebody asked for counts half as much after so many ms. */
const HALF_LIFE_MS = 1_000;
/** Who asks for so many times as much as the others on average has to take turns. */
const MUCH = 1.5;
/** Units of work at once of one who has to take turns; one call may always be more. */
const UNITS_AT_ONCE = 3;
/** Units of calls that get in the way even where there is time for everybody: each is a long moment by itself. */
const BULKY = 2;
/** ms of rest for each unit of work of theirs. */
const REST_PER_UNIT_MS = 6;
/** After a bulky call, its time so many times over. */
const REST_PER_BULKY_MS = 2;
const MOST_REST_MS = 1_000;
/** Calls of one caller that may wait. */
const MOST_WAITING = 1_000;
/** Accounts beyond which those are looked for that nobody needs. */
const MANY_ACCOUNTS = 1_000;
/** How much the latest call says about what his next one will be. */
const WEIGHT_OF_LATEST = 0.3;

/** A call that is under way. */
export interface Turn {
  /** Says that it turned out to be more work than an ordinary call, which is one unit. */
  add(units: number): void;
  /** The same before that work is done: a bulky call waits until no other of its caller is under way. */
  grow(units: number): Promise<void>;
  /** Says that it is over; once is enough. */
  leave(): void;
}

interface Account {
  readonly caller: string;
  running: number;
  /** Work that was asked for lately. */
  units: number;
  /** Of one call. */
  typical: number;
  at: number;
  restsUntil: number;
  readonly waiting: (() => void)[];
  /** Bulky calls that are under way, and those that wait for them. */
  bulky: number;
  readonly bulkyWaiting: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Shares a process between its callers. As long as there is time for everybody, nobody waits for ordinary calls. When there
 * is not, or for bulky ones, whoever asks for much more than the others takes turns with himself, and rests after each by
 * how much work it was, so that the others hardly notice him. Nobody waits who is alone.
 */
export class FairTurns {
  readonly #accounts = new Map<string, Account>();
  #sample = performance.eventLoopUtilization();
  #sampledAt = performance.now();
  #busyUntil = 0;

  /** Resolves when a caller's next call may begin. Throws RATE_LIMITED when too many of his wait already. */
  async enter(caller: string, units = 1): Promise<Turn> {
    const now = performance.now();
    const account = this.#accountOf(caller, now);
    // What it turns out to be is known later: until then it counts as his calls usually do.
    const expected = Math.max(units, account.typical);
    account.units += expected;
    account.typical = Math.max(account.typical, units);
    if (account.waiting.length > 0 || !this.#mayStart(account, now)) {
      if (account.waiting.length >= MOST_WAITING) {
        throw new SwitchboardError('RATE_LIMITED', 'Too many of your calls wait to be answered. Make fewer at once.', {
          retryAfterSeconds: 1,
        });
      }
      await new Promise<void>((resolve) => {
        account.waiting.push(resolve);
        this.#startNext(account);
      });
    } else account.running += 1;
    let startedAt = performance.now();
    let work = units;
    let left = false;
    const add = (more: number): void => {
      work += more;
      account.units += Math.max(0, Math.min(more, work - expected));
    };
    let isBulky = false;
    let holdsPlace = false;
    /** Several bulky calls at once would be one long moment for everybody else. */
    const beginBulky = async (): Promise<void> => {
      isBulky = true;
      account.typical = Math.max(account.typical, work);
      if (account.bulky > 0 && !this.#isAlone(account, performance.now())) {
        // The call before hands its place on.
        await new Promise<void>((resolve) => account.bulkyWaiting.push(resolve));
      } else account.bulky += 1;
      if (left) this.#endBulky(account, 0);
      else holdsPlace = true;
      startedAt = performance.now();
    };
    if (units > BULKY) await beginBulky();
    return {
      add,
      grow: async (more) => {
        add(more);
        if (work > BULKY && !isBulky && !left) await beginBulky();
      },
      leave: () => {
        if (left) return;
        left = true;
        account.running -= 1;
        account.units = Math.max(0, account.units - Math.max(0, expected - work));
        account.typical += WEIGHT_OF_LATEST * (work - account.typical);
        const endedAt = performance.now();
        const byTime = work > BULKY ? (endedAt - startedAt) * REST_PER_BULKY_MS : 0;
        const restMs = Math.min(MOST_REST_MS, Math.max(work * REST_PER_UNIT_MS, byTime));
        account.restsUntil = endedAt + restMs;
        if (holdsPlace) this.#endBulky(account, restMs);
        this.#startNext(account);
      },
    };
  }

  #endBulky(account: Account, restMs: number): void {
    const next = account.bulkyWaiting.shift();
    if (next) setTimeout(next, restMs);
    else account.bulky -= 1;
  }

  #startNext(account: Account): void {
    while (account.waiting.length > 0) {
      const now = performance.now();
      this.#decay(account, now);
      if (!this.#mayStart(account, now)) {
        // Something of his is under way and comes back here, or he rests.
        const rest = account.restsUntil - now;
        if (rest > 0 && !account.timer) {
          account.timer = setTimeout(() => {
            account.timer = undefined;
            this.#startNext(account);
          }, rest);
        }
        return;
      }
      account.running += 1;
      account.waiting.shift()?.();
    }
  }

  #mayStart(account: Account, now: number): boolean {
    const inTurn = account.running === 0 || (account.running + 1) * account.typical <= UNITS_AT_ONCE;
    if (inTurn && now >= account.restsUntil) return true;
    const isBulky = account.typical > BULKY;
    return !(isBulky || this.#isBusy(now)) || !this.#asksForMuch(account, now);
  }

  #isAlone(account: Account, now: number): boolean {
    this.#forget(now);
    return this.#accounts.size === (this.#accounts.has(account.caller) ? 1 : 0);
  }

  #asksForMuch(account: Account, now: number): boolean {
    this.#forget(now);
    let units = 0;
    for (const other of this.#accounts.values()) if (other !== account) units += other.units;
    const others = this.#accounts.size - 1;
    return others > 0 && account.units > (MUCH * units) / others;
  }

  /** Those who asked for nothing lately. */
  #forget(now: number): void {
    for (const [caller, account] of this.#accounts) {
      this.#decay(account, now);
      if (account.units < 0.1 && account.running === 0 && account.waiting.length === 0) this.#accounts.delete(caller);
    }
  }

  #isBusy(now: number): boolean {
    if (now - this.#sampledAt >= SAMPLE_MS) {
      const current = performance.eventLoopUtilization();
      if (performance.eventLoopUtilization(current, this.#sample).utilization > BUSY) this.#busyUntil = now + STAYS_BUSY_MS;
      this.#sample = current;
      this.#sampledAt = now;
    }
    return now < this.#busyUntil;
  }

  #accountOf(caller: string, now: number): Account {
    const known = this.#accounts.get(caller);
    if (known) {
      this.#decay(known, now);
      return known;
    }
    if (this.#accounts.size >= MANY_ACCOUNTS) this.#forget(now);
    const account: Account = {
      caller,
      running: 0,
      units: 0,
      typical: 1,
      at: now,
      restsUntil: 0,
      waiting: [],
      bulky: 0,
      bulkyWaiting: [],
      timer: undefined,
    };
    this.#accounts.set(caller, account);
    return account;
  }

  #decay(account: Account, now: number): void {
    account.units *= 0.5 ** ((now - account.at) / HALF_LIFE_MS);
    account.at = now;
  }
}

/** Bytes of a body, or of an answer, that are as much work as an ordinary call. */
export const BYTES_A_UNIT = 128 * 1024;

/** Fields of a GraphQL answer that are as much work as an ordinary call. */
export const COST_A_UNIT = 100;

/** Who shares turns: those of one organization, whoever acts for it; a platform's own calls; strangers from one address. */
export function turnOf(caller: Caller | Platform | null, address: string): string {
  if (!caller) return `address:${address}`;
  return caller.organizationId === null ? `platform:${caller.apiKeyId}` : `organization:${caller.organizationId}`;
}

/** Waits until it is a request's turn, which ends with its answer, or when the client leaves. Throws RATE_LIMITED. */
export async function takeTurn(
  turns: FairTurns,
  caller: string,
  { raw, headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Turn> {
  const turn = await turns.enter(caller, 1 + (Number(headers['content-length']) || 0) / BYTES_A_UNIT);
  const { socket } = raw;
  if (socket.destroyed) turn.leave();
  const writtenBefore = socket.bytesWritten;
  reply.raw.once('close', () => {
    turn.add((socket.bytesWritten - writtenBefore) / BYTES_A_UNIT);
    turn.leave();
  });
  return turn;
}
