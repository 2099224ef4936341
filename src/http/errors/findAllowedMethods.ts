import type { FastifyInstance } from 'fastify';

/** Watches the routes as they are added, and returns a function that tells which methods the path of a URL has; none: no such path. */
export function findAllowedMethods(app: FastifyInstance): (url: string) => string[] {
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // The pre-flight of CORS is everywhere.
    if (url === '*') return;
    const methods = methodsByPattern.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByPattern.set(url, methods);
  });
  return (url) => {
    const path = url.split('?', 1)[0] as string;
    const found = [...methodsByPattern].filter(([pattern]) => matches(pattern, path)).flatMap(([, methods]) => [...methods]);
    return [...new Set(found)].sort();
  };
}

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const parts = path.split('/');
  const anything = expected.at(-1) === '*';
  if (anything ? parts.length < expected.length : parts.length !== expected.length) return false;
  return expected.every((part, index) => part === '*' || (part.startsWith(':') ? parts[index] !== '' : part === parts[index]));
}
