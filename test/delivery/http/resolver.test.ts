import { createSocket } from 'node:dgram';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createResolver, ResolverSilent } from '../../../src/delivery/http/resolver.js';

type Zone = Readonly<Record<string, readonly string[] | 'silent' | 'broken'>>;

/** Starts a name server on loopback that answers A queries from `zone`. All other names do not exist. */
async function nameServer(zone: Zone, ttl = 60) {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const query: Packet = decode(message);
    const question = query.questions?.[0];
    const name = question?.name.toLowerCase() ?? '';
    asked.push(`${question?.type} ${name}`);
    const found = server.zone[name];
    if (found === 'silent' || server.silent) return;
    const answers: Answer[] =
      Array.isArray(found) && question?.type === 'A' ? found.map((data) => ({ type: 'A' as const, name, ttl, data })) : [];
    const code = found === 'broken' ? 2 : found === undefined ? 3 : 0;
    const answer = {
      type: 'response' as const,
      id: query.id ?? 0,
      flags: 0x0180 | code,
      questions: query.questions ?? [],
      answers,
    };
    socket.send(encode(answer), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  const server = { zone, silent: false, asked, address: `127.0.0.1:${socket.address().port}` };
  return server;
}

const resolverOn = (server: { address: string }, more = {}) =>
  createResolver({ servers: [server.address], deadlineMs: 400, ...more });

describe('Names', () => {
  it('are resolved by DNS, and kept for as long as the answer says', async () => {
    const server = await nameServer({ 'a.example': ['192.0.2.1', '192.0.2.2'] });
    const lookup = resolverOn(server);
    const expected = [
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
    ];
    expect(await lookup('a.example')).toEqual(expected);
    expect(await lookup('A.Example.')).toEqual(expected);
    expect(server.asked.filter((question) => question.startsWith('A '))).toEqual(['A a.example']);
  });

  it('that are looked up many times at once cost one query', async () => {
    const server = await nameServer({ 'a.example': ['192.0.2.1'] });
    const lookup = resolverOn(server);
    await Promise.all(Array.from({ length: 50 }, () => lookup('a.example')));
    expect(server.asked.filter((question) => question.startsWith('A '))).toHaveLength(1);
  });

  it('of the hosts file are found there, and those of this machine without any query', async () => {
    const server = await nameServer({});
    const hostsFile = join(await mkdtemp(join(tmpdir(), 'switchboard-hosts-')), 'hosts');
    await writeFile(hostsFile, '# machines\n192.0.2.7  receiver receiver.internal # ours\n::1 receiver\n');
    const lookup = resolverOn(server, { hostsFile });
    expect(await lookup('receiver.internal')).toEqual([{ address: '192.0.2.7', family: 4 }]);
    expect(await lookup('receiver')).toHaveLength(2);
    expect(await lookup('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
    expect(server.asked).toEqual([]);
  });

  it('that do not exist, or whose zone is broken, are reported as such, and not queried again at once', async () => {
    const server = await nameServer({ 'broken.example': 'broken' });
    const lookup = resolverOn(server);
    for (const name of ['missing.invalid', 'broken.example']) {
      await expect(lookup(name)).rejects.not.toBeInstanceOf(ResolverSilent);
      const asked = server.asked.length;
      await expect(lookup(name)).rejects.toThrow();
      expect(server.asked).toHaveLength(asked);
    }
  });
});

describe('Silence', () => {
  it('about some names does not prevent others from being resolved, however many there are', async () => {
    const silent = Array.from({ length: 100 }, (_, n) => `silent${n}.example`);
    const server = await nameServer({
      'a.example': ['192.0.2.1'],
      'b.example': ['192.0.2.2'],
      ...Object.fromEntries(silent.map((name) => [name, 'silent' as const])),
    });
    const lookup = resolverOn(server, { deadlineMs: 2_000 });
    await lookup('a.example');
    let told = 0;
    const failures = silent.map((name) =>
      lookup(name).catch((error) => {
        told++;
        return error;
      }),
    );
    expect(await lookup('b.example')).toEqual([{ address: '192.0.2.2', family: 4 }]);
    expect(told).toBe(0);
    // The name servers answer for other names, so only these names are broken.
    for (const error of await Promise.all(failures)) expect(error).not.toBeInstanceOf(ResolverSilent);
  });

  it('about a name counts as the name’s fault when the name server then answers for another name', async () => {
    const server = await nameServer({ 'silent.example': 'silent' });
    await expect(resolverOn(server)('silent.example')).rejects.not.toBeInstanceOf(ResolverSilent);
  });

  it('about all names counts as a failure of our own resolver, not of a receiver', async () => {
    const server = await nameServer({ 'a.example': ['192.0.2.1'] });
    server.silent = true;
    const lookup = resolverOn(server);
    await expect(lookup('a.example')).rejects.toBeInstanceOf(ResolverSilent);
    // Silence has no effect after it ends.
    server.silent = false;
    expect(await lookup('a.example')).toHaveLength(1);
  });

  it('that begins a moment after an answer counts as our own failure too', async () => {
    const server = await nameServer({ 'a.example': ['192.0.2.1'], 'b.example': ['192.0.2.2'] });
    const lookup = resolverOn(server);
    await lookup('a.example');
    server.silent = true;
    await expect(lookup('b.example')).rejects.toBeInstanceOf(ResolverSilent);
  });

  it('is bridged by cached answers', async () => {
    const server = await nameServer({ 'a.example': ['192.0.2.1'] }, 1);
    const lookup = resolverOn(server);
    const before = await lookup('a.example');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    server.silent = true;
    expect(await lookup('a.example')).toEqual(before);
  });
});
