import type { FastifyReply, FastifyRequest } from 'fastify';

const MOST_HELD = 1_000;
const LONGEST_MS = 10 * 60_000;

/**
 * Requests that are deliberately left without an answer, or answered late.
 * They would keep a closing server waiting, so everything held here is let go by `releaseAll`.
 */
export interface HeldConnections {
  /** Never answers. The socket is cut after ten minutes, or at once when too many are held. */
  hold(request: FastifyRequest, reply: FastifyReply): void;
  /** Resolves after `ms`; early when the sandbox closes, when whoever asked has left, and when too many are held. */
  delay(ms: number, request: FastifyRequest): Promise<void>;
  releaseAll(): void;
  /** How many are held at the moment. */
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
