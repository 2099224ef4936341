import { createServer } from 'node:http';
import type { Page } from 'playwright-core';

export interface Opener {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts an app on its own origin that opens a pop-up and stores every message that it receives. */
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
    // This is another site than 127.0.0.1, not only another port.
    origin: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Returns the messages that the opener has received so far. */
export function messagesOf(page: Page): Promise<{ data: unknown; origin: string }[]> {
  return page.evaluate('window.messages');
}
