import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Platform } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/errors.js';

/** Share of its time above which a process counts as busy, so that callers slow each other down. */
const BUSY = 0.7;
/** Milliseconds over which that share is measured, and for which a process counts as busy afterwards. */
const SAMPLE_MS = 100;
const STAYS_BUSY_MS = 2_000;
/** Milliseconds after which a caller's past work counts half. */
const HALF_LIFE_MS = 1_000;
/** A caller with this many times the others' average work has to take turns. */
const MUCH = 1.5;
/** Units of work that a caller who takes turns may have running. One call may always be larger. */
const UNITS_AT_ONCE = 3;
/** Units above which a call is bulky: it blocks the process for a noticeable time, even when the process is not busy. */
const BULKY = 6;
/** Milliseconds of pause after each unit of work. */
const REST_PER_UNIT_MS = 6;
/** Pause after a bulky call, as a multiple of the call's duration. */
const REST_PER_BULKY_MS = 6;
const MOST_REST_MS = 3_000;
/** Maximum milliseconds of one pause within a bulky call. */
const MOST_PAUSE_MS = 50;
/** Milliseconds after which a waiting call is considered again, unless another ends before. */
const LOOK_AGAIN_MS = 250;
/** Maximum waiting calls of one caller. */
const MOST_WAITING = 1_000;
/** Milliseconds between two searches for unused accounts. */
const FORGET_MS = 50;
/** Number of accounts above which unused ones are deleted. */
const MANY_ACCOUNTS = 1_000;
/** Weight of the latest call in the estimate of the next call's work. */
const WEIGHT_OF_LATEST = 0.3;

/** A running call. */
export interface Turn {
  /** Adds work to the call, in units. An ordinary call is one unit. */
  add(units: number): void;
  /** Adds work before it is done. A bulky call waits until no other bulky call of its caller is running. */
  grow(units: number): Promise<void>;
  /**
   * Lets other calls continue before the next part of a large answer. A bulky call pauses as long as its last part took, unless
   * its caller is alone.
   */
  giveWay(): Promise<void>;
  /** Ends the call. Further calls have no effect. */
  leave(): void;
}

interface Account {
  readonly caller: string;
  running: number;
  /** Units of recent work, decaying over time. */
  units: number;
  /** Expected units of one call. */
  typical: number;
  at: number;
  restsUntil: number;
  readonly waiting: (() => void)[];
  /** Bulky calls that are running or about to start. `bulkyWaiting` holds those that wait. */
  bulky: number;
  readonly bulkyWaiting: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Shares a process between its callers. While the process is not busy, ordinary calls start at once. When it is busy, and
 * for bulky calls always, a caller that asks for much more than the others has its calls done one at a time, with a pause
 * after each in proportion to its work, so that the others are hardly slowed. A caller without others never waits.
 */
export class FairTurns {
  readonly #accounts = new Map<string, Account>();
  #sample = performance.eventLoopUtilization();
  #sampledAt = performance.now();
  #busyUntil = 0;
  #forgotAt = Number.NEGATIVE_INFINITY;

  /** Resolves when a caller's next call may begin. Throws RATE_LIMITED when too many of its calls wait already. */
  async enter(caller: string, units = 1): Promise<Turn> {
    const now = performance.now();
    const account = this.#accountOf(caller, now);
    // The call's work becomes known later. Until then it counts as much as this caller's usual call.
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
      if (left) return;
      work += more;
      account.units += Math.max(0, Math.min(more, work - expected));
    };
    let isBulky = false;
    let holdsPlace = false;
    let resumedAt = startedAt;
    /** Lets bulky calls of a caller run one at a time, because several at once would block all others for long. */
    const beginBulky = async (): Promise<void> => {
      isBulky = true;
      account.typical = Math.max(account.typical, work);
      if (account.bulky > 0 && !this.#isAlone(account, performance.now())) {
        // The previous bulky call passes its place on.
        await new Promise<void>((resolve) => account.bulkyWaiting.push(resolve));
      } else account.bulky += 1;
      if (left) this.#endBulky(account, 0);
      else holdsPlace = true;
      startedAt = performance.now();
      resumedAt = startedAt;
    };
    if (units > BULKY) await beginBulky();
    return {
      add,
      grow: async (more) => {
        add(more);
        if (work > BULKY && !isBulky && !left) await beginBulky();
      },
      giveWay: async () => {
        const now = performance.now();
        if (isBulky && !this.#isAlone(account, now)) await sleep(Math.min(MOST_PAUSE_MS, now - resumedAt));
        else await setImmediate();
        resumedAt = performance.now();
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
        // The end of a running call comes back here. What else may let the next one start changes with time.
        account.timer ??= setTimeout(
          () => {
            account.timer = undefined;
            this.#startNext(account);
          },
          Math.max(account.restsUntil - now, LOOK_AGAIN_MS),
        );
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

  /** Deletes the accounts of callers without recent work. */
  #forget(now: number): void {
    if (now - this.#forgotAt < FORGET_MS) return;
    this.#forgotAt = now;
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

/** Bytes of a body or of a response that count as one ordinary call. */
export const BYTES_A_UNIT = 128 * 1024;

/** Fields of a GraphQL response that count as one ordinary call. */
export const COST_A_UNIT = 100;

/**
 * Returns the key of those who take turns together: an organization, whoever acts for it; a platform's own calls; callers
 * without credentials at one address.
 */
export function turnOf(caller: Caller | Platform | null, address: string): string {
  if (!caller) return `address:${address}`;
  return caller.organizationId === null ? `platform:${caller.apiKeyId}` : `organization:${caller.organizationId}`;
}

/** Waits for a request's turn. The turn ends with the response, or when the client disconnects. Throws RATE_LIMITED. */
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
