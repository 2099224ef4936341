// An app's backend: it alone has the keys, and gives each page a session for one connection. Needs nothing but Node.
//   SWITCHBOARD_URL=http://localhost:4000 PUBLIC_KEY=… SECRET_KEY=… node examples/connect/server.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const { SWITCHBOARD_URL = 'http://localhost:4000', PUBLIC_KEY, SECRET_KEY, PORT = '3000', HOST = 'localhost' } = process.env;

const authorization = `Basic ${Buffer.from(`${PUBLIC_KEY}:${SECRET_KEY}`).toString('base64')}`;

async function ask(query, variables = {}) {
  const response = await fetch(`${SWITCHBOARD_URL}/graphql`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

// A real app makes one for each merchant, and keeps its id.
let connectionId;

async function createSession(origin) {
  const make = 'mutation { createConnection(input: { configuration: { klaviyo: {} } }) { connection { id } } }';
  connectionId ??= (await ask(make)).createConnection.connection.id;
  const { createSession: made } = await ask(
    'mutation ($input: CreateSessionInput!) { createSession(input: $input) { token userErrors { message } } }',
    { input: { permissions: ['CONNECT'], connectionId, origin, returnTo: `${origin}/` } },
  );
  if (made.userErrors.length > 0) throw new Error(made.userErrors[0].message);
  return made.token;
}

const page = await readFile(new URL('./page.html', import.meta.url), 'utf8');
const server = createServer(async (request, response) => {
  const origin = `http://${HOST}:${server.address().port}`;
  // A real app looks first who is signed in.
  if (request.url === '/session') return response.end(await createSession(origin).catch(() => response.writeHead(502) && ''));
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(page.replaceAll('SWITCHBOARD_URL', SWITCHBOARD_URL));
});
server.listen(Number(PORT), HOST, () => console.log(`http://${HOST}:${server.address().port}`));
