import { Agent, request } from 'undici';

/** Posts a body `count` times with a fixed concurrency, and does nothing else. Returns the rate per second. */
export async function bareLoop(url: string, body: string, count: number, concurrency: number): Promise<number> {
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const { body: answer } = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        dispatcher,
      });
      await answer.text();
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const rate = count / ((performance.now() - startedAt) / 1_000);
  await dispatcher.close();
  return rate;
}
