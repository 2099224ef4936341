import { attacks, type Target } from './attacks.js';

/** What is told over IPC: which attack, on whom, and for how long. */
export interface AttackOrder {
  readonly index: number;
  readonly target: Target;
  readonly seconds: number;
}

/** How it went: answers by their status or, over a websocket, their kind; `0` for none; and the largest one in bytes. */
export interface AttackOutcome {
  readonly statuses: Record<string, number>;
  readonly largest: number;
}

/** An attacker in a process of its own, who shares nothing with those who are measured. Attacks once, and ends. */
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

/** One operation over a websocket of its own (graphql-transport-ws): the kind of its answer, `0` for none, and its bytes. */
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
