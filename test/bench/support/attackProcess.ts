import { attacks, type Target } from './attacks.js';

/** The order sent over IPC: which attack, its target, and its duration. */
export interface AttackOrder {
  readonly index: number;
  readonly target: Target;
  readonly seconds: number;
}

/** The result: responses by status or, over a websocket, by kind; `0` for none; and the size of the largest one in bytes. */
export interface AttackOutcome {
  readonly statuses: Record<string, number>;
  readonly largest: number;
}

/** An attacker in a separate process, which shares nothing with the measured ones. It attacks once and ends. */
process.once('message', async ({ index, target, seconds }: AttackOrder) => {
  const attack = attacks[index];
  const calls = attack?.calls(target) ?? [];
  const until = performance.now() + seconds * 1_000;
  const statuses: Record<string, number> = {};
  let largest = 0;
  let next = 0;
  await Promise.all(
    Array.from({ length: attack?.clients ?? 0 }, async () => {
      while (performance.now() < until) {
        const [place, init] = calls[next++ % calls.length] ?? ['/', {}];
        if ('query' in init) {
          const [kind, bytes] = await ask(target.origin, place, init);
          largest = Math.max(largest, bytes);
          statuses[kind] = (statuses[kind] ?? 0) + 1;
          continue;
        }
        const status = await fetch(`${target.origin}${place}`, init).then(
          async (response) => {
            largest = Math.max(largest, (await response.arrayBuffer()).byteLength);
            return response.status;
          },
          () => 0,
        );
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  process.send?.({ statuses, largest } satisfies AttackOutcome);
  process.disconnect();
});

/**
 * Sends one operation over a new websocket (graphql-transport-ws). Returns the kind of the response, `0` for none, and its
 * bytes.
 */
function ask(origin: string, authorization: string, payload: object): Promise<[kind: string, bytes: number]> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    const end = (kind: string, bytes: number): void => {
      resolve([kind, bytes]);
      socket.close();
    };
    socket.onopen = () => socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: authorization } }));
    socket.onmessage = ({ data }) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      else if (type === 'next' || type === 'error') end(type, String(data).length);
    };
    socket.onerror = () => end('0', 0);
    socket.onclose = () => resolve(['0', 0]);
  });
}
