import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { authenticate } from '../../access/authenticate.js';
import { requireCaller } from '../../access/requireScope.js';
import type { Caller } from '../../domain/Caller.js';

/** For so long credentials count as good without another look. */
const FRESH_MS = 1_000;

/** Who is at the other end of a websocket. Credentials may end while it is open, so they are looked at again and again. */
export class SocketCaller {
  #checkedAt = Number.NEGATIVE_INFINITY;
  #caller: Promise<Caller> | undefined;

  constructor(
    private readonly dependencies: AccessDependencies,
    private readonly authorization: string | undefined,
    private readonly address: string,
  ) {}

  /** Throws UNAUTHENTICATED when there are no credentials, or when they are no good any more. */
  current(): Promise<Caller> {
    const now = performance.now();
    if (this.#caller === undefined || now - this.#checkedAt > FRESH_MS) {
      this.#checkedAt = now;
      this.#caller = authenticate(this.dependencies, this.authorization, this.address).then(requireCaller);
      this.#caller.catch(() => {});
    }
    return this.#caller;
  }
}
