import { createServer } from 'node:http';
import type { Page } from 'playwright-core';

export interface Opener {
  readonly origin: string;
  close(): Promise<void>;
}

/** An app on an origin of its own: it opens a pop-up and keeps every message it gets. */
export async function startOpener(): Promise<Opener> {
  const page = `<!doctype html><title>The app</title><button>Connect</button><script>
    window.messages = [];
    addEventListener('message', ({ data, origin }) => messages.push({ data, origin }));
    document.querySelector('button').onclick = () => { window.popup = open(location.hash.slice(1), 'connect', 'popup,width=520,height=700'); };
  </script>`;
  const server = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    // Another site than 127.0.0.1, not only another port.
    origin: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the opener was told so far. */
export function messagesOf(page: Page): Promise<{ data: unknown; origin: string }[]> {
  return page.evaluate('window.messages');
}
