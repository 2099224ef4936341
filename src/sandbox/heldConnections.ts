import type { FastifyReply, FastifyRequest } from 'fastify';

const MOST_HELD = 1_000;
const LONGEST_MS = 10 * 60_000;

/** Requests that are deliberately answered late or never. They would keep a closing server waiting, so `releaseAll` ends them. */
export interface HeldConnections {
  /** Leaves the request without a response. The socket is cut after ten minutes, or at once when too many are held. */
  hold(request: FastifyRequest, reply: FastifyReply): void;
  /** Resolves after `ms`; earlier when the sandbox closes, when the client disconnects, or when too many requests are held. */
  delay(ms: number, request: FastifyRequest): Promise<void>;
  releaseAll(): void;
  /** Returns the number of held requests. */
  count(): number;
}

export function heldConnections(): HeldConnections {
  const releases = new Set<() => void>();

  function whenReleased(ms: number, release: () => void): () => void {
    const once = () => {
      clearTimeout(timer);
      if (releases.delete(once)) release();
    };
    const timer = setTimeout(once, Math.min(ms, LONGEST_MS));
    releases.add(once);
    return once;
  }

  return {
    hold(request, reply) {
      const { socket } = request.raw;
      reply.hijack();
      if (releases.size >= MOST_HELD) {
        socket.destroy();
        return;
      }
      const release = whenReleased(LONGEST_MS, () => socket.destroy());
      socket.once('close', release);
    },
    delay: (ms, request) =>
      new Promise((resolve) => {
        const { socket } = request.raw;
        if (releases.size >= MOST_HELD || socket.destroyed) return resolve();
        const release = whenReleased(ms, () => {
          socket.off('close', release);
          resolve();
        });
        socket.once('close', release);
      }),
    count: () => releases.size,
    releaseAll() {
      for (const release of [...releases]) release();
    },
  };
}
