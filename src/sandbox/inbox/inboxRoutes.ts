import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import type { HeldConnections } from '../heldConnections.js';
import { html, readForm, refuseStrangers, type SafeHtml, sendPage } from '../web.js';
import {
  INBOX_ANSWERS,
  type Inbox,
  type InboxAnswer,
  type InboxBehaviour,
  type InboxControl,
  type InboxStore,
  isInboxName,
  receivedRequest,
  type SignatureVerdict,
} from './inboxStore.js';

interface Named {
  Params: { name: string };
}

/** Registers the webhook inbox: the receiving URLs, the pages that show received requests, and the control over HTTP. */
export function inboxRoutes(app: FastifyInstance, context: InboxContext, control: InboxControl, baseUrl: () => string): void {
  const { store, root } = context;
  const preHandler = refuseStrangers(baseUrl);
  receiveRoute(app, context);

  app.get('/inbox', { preHandler }, (_request, reply) =>
    sendPage(reply, { title: 'Webhook inbox', root: root(), body: inboxListPage(store.list(), root(), baseUrl()) }),
  );

  app.get<Named>('/inbox-view/:name', { preHandler }, async ({ params: { name } }, reply) => {
    if (!isInboxName(name)) return reply.code(404).send({ error: 'This is no name for an inbox' });
    const inbox = store.find(name) ?? { name, behaviour: control.behaviour(name), total: 0, requests: [] };
    return sendPage(reply, { title: `Inbox ${name}`, root: root(), body: inboxPage(inbox, root(), baseUrl()) });
  });

  // The form on the list of inboxes names an inbox. Without scripts it can only send the name in a query.
  app.get<{ Querystring: { name?: string } }>('/inbox-view', ({ query: { name = '' } }, reply) =>
    reply.redirect(isInboxName(name) ? `${root()}/inbox-view/${name}` : `${root()}/inbox`, 303),
  );

  app.get<Named>('/inbox-control/:name', { preHandler }, async ({ params: { name } }) => ({
    name,
    total: control.total(name),
    behaviour: control.behaviour(name),
    verifiesSignatures: store.find(name)?.secret !== undefined,
    requests: control.requests(name),
  }));

  app.post<Named>('/inbox-control/:name', { preHandler, bodyLimit: 16 * 1024 }, async (request, reply) => {
    const { name } = request.params;
    const form = readForm(request);
    const command = form && isInboxName(name) ? readInboxCommand(name, form, control) : undefined;
    if (!command) return reply.code(400).send({ error: 'The form has no action, or its fields do not fit it' });
    try {
      command();
    } catch {
      return reply.code(400).send({ error: 'This is no signing secret: it looks like whsec_ and base64' });
    }
    return reply.redirect(`${root()}/inbox-view/${name}`, 303);
  });
}

/** Parses the form of an inbox page. Returns the action that it requests; undefined for an invalid form. */
function readInboxCommand(name: string, form: URLSearchParams, control: InboxControl): (() => void) | undefined {
  switch (form.get('action')) {
    case 'clear':
      return () => control.clear(name);
    case 'secret':
      return () => control.setSecret(name, form.get('secret')?.trim() || null);
    case 'behaviour': {
      const behaviour = readBehaviour(form);
      return behaviour && (() => control.setBehaviour(name, behaviour));
    }
    default:
      return undefined;
  }
}

function readBehaviour(form: URLSearchParams): InboxBehaviour | undefined {
  const answer = INBOX_ANSWERS.find((known) => known === form.get('answer'));
  const number = (field: string, most: number): number | undefined => {
    const text = form.get(field)?.trim();
    return text ? Math.min(Math.max(0, Math.trunc(Number(text))), most) : undefined;
  };
  const numbers = {
    retryAfterSeconds: number('retry_after', 86_400),
    delayMs: number('delay_ms', 600_000),
    times: number('times', 1_000_000),
  };
  const location = form.get('location')?.trim() || undefined;
  if (!answer || Object.values(numbers).some(Number.isNaN) || numbers.times === 0) return undefined;
  // A header cannot contain line breaks or other control characters.
  if (location !== undefined && !/^[\x21-\x7e]{1,2000}$/.test(location)) return undefined;
  return { answer, location, ...numbers };
}

const KEPT_BYTES = 64 * 1024;
// Maximum body size. The whole body is read because the signature covers it, but only its beginning is kept.
const MOST_BODY_BYTES = 10 * 1024 * 1024;

interface InboxContext {
  store: InboxStore;
  held: HeldConnections;
  /** Returns the path of the mount point. */
  root: () => string;
}

/** Registers the receiving URL of an inbox, for any method and content type. */
function receiveRoute(app: FastifyInstance, { store, held, root }: InboxContext): void {
  app.all<{ Params: { name: string } }>('/inbox/:name', { bodyLimit: MOST_BODY_BYTES }, async (request, reply) => {
    const { name } = request.params;
    if (!isInboxName(name)) return reply.code(404).send({ error: 'This is no name for an inbox' });
    // A browser navigation shows the inbox instead of delivering to it.
    if (request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate') {
      return reply.redirect(`${root()}/inbox-view/${name}`, 303);
    }
    const inbox = store.open(name);
    const behaviour = takeBehaviour(inbox);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    store.receive(inbox, {
      method: request.method,
      query: request.url.split('?').slice(1).join('?'),
      headers,
      body: body.subarray(0, KEPT_BYTES).toString('utf8'),
      bodyBytes: body.length,
      signature: verifySignature(inbox.secret, body, headers),
      answered: STATUS[behaviour.answer],
    });
    // Frees the body, because the response may be sent much later.
    request.body = undefined;
    return answer(behaviour, request, reply);
  });

  async function answer(behaviour: InboxBehaviour, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (behaviour.answer === 'hang') {
      held.hold(request, reply);
      return reply;
    }
    if (behaviour.answer === 'slow') await held.delay(behaviour.delayMs ?? 5_000, request);
    if (behaviour.answer === 'throttle') reply.header('retry-after', String(behaviour.retryAfterSeconds ?? 5));
    if (behaviour.answer === 'redirect') reply.header('location', behaviour.location ?? `${root()}/inbox/redirected`);
    const status = STATUS[behaviour.answer] ?? 200;
    return reply.code(status).send({ received: status === 200 });
  }
}

const STATUS: Record<InboxBehaviour['answer'], number | null> = {
  ok: 200,
  error: 500,
  gone: 410,
  throttle: 429,
  redirect: 302,
  slow: 200,
  hang: null,
};

/** Returns the inbox's current behaviour, and counts down one that is limited to some requests. */
function takeBehaviour(inbox: Inbox): InboxBehaviour {
  const { behaviour } = inbox;
  if (behaviour.times !== undefined) {
    const times = behaviour.times - 1;
    inbox.behaviour = times > 0 ? { ...behaviour, times } : { answer: 'ok' };
  }
  return behaviour;
}

/** Checks id, timestamp (within five minutes of the real clock) and signature according to Standard Webhooks. */
function verifySignature(secret: string | undefined, body: Buffer, headers: Record<string, string>): SignatureVerdict {
  if (secret === undefined) return { verdict: 'unchecked' };
  if (!headers['webhook-signature']) return { verdict: 'unsigned' };
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return { verdict: 'valid' };
  } catch (error) {
    return { verdict: 'invalid', reason: error instanceof Error ? error.message : String(error) };
  }
}

const ANSWER_WORDS: Record<InboxAnswer, string> = {
  ok: '200',
  error: '500',
  gone: '410: never send again',
  throttle: '429 with Retry-After',
  redirect: '302 to another address',
  slow: '200, but slowly',
  hang: 'Not at all',
};

const SHOWN = 100;

const inboxListPage = (inboxes: Inbox[], root: string, baseUrl: string): SafeHtml => html`<h1>Webhook inbox</h1>
<section class="card"><h2>Inboxes</h2>
<p>Send webhooks to <code>${baseUrl}/inbox/</code> and any name, such as <code>${baseUrl}/inbox/orders</code>. An inbox needs no setting up.</p>
${inboxes.length === 0 && html`<p class="soft">Nothing has arrived yet.</p>`}
<ul>${inboxes.map(
  ({ name, total, behaviour }) => html`<li><a href="${root}/inbox-view/${name}">${name}</a>
<span class="soft">${total} received, answers ${behaviourWords(behaviour)}</span></li>`,
)}</ul>
<form method="get" action="${root}/inbox-view" class="fields">
<label class="field">Name <input name="name" required maxlength="64" pattern="[A-Za-z0-9._\\-]+"></label><button>Open</button></form>
</section>`;

function inboxPage(inbox: Inbox, root: string, baseUrl: string): SafeHtml {
  const action = `${root}/inbox-control/${inbox.name}`;
  return html`<h1>Inbox ${inbox.name}</h1>
<section class="card"><p>Receives at <code>${baseUrl}/inbox/${inbox.name}</code></p>
<p class="soft">${inbox.total} received, answers ${behaviourWords(inbox.behaviour)}.
<a href="${root}/inbox-view/${inbox.name}">Refresh</a> · <a href="${action}">As JSON</a></p>
<form method="post" action="${action}" class="fields">
<label class="field">Answer <select name="answer">${INBOX_ANSWERS.map(
    (answer) =>
      html`<option value="${answer}"${answer === inbox.behaviour.answer && html` selected`}>${ANSWER_WORDS[answer]}</option>`,
  )}</select></label>
<label class="field">Times (empty: always) <input name="times" type="number" min="1" inputmode="numeric"></label>
<label class="field">Retry-After, seconds <input name="retry_after" type="number" min="0" inputmode="numeric"></label>
<label class="field">Delay, milliseconds <input name="delay_ms" type="number" min="0" inputmode="numeric"></label>
<button class="primary" name="action" value="behaviour">Set</button>
</form></section>
<section class="card"><h2>Signatures</h2>
<p class="soft">${inbox.secret ? 'Checked with the secret that was entered.' : 'Not checked: enter the signing secret of the connection.'}</p>
<form method="post" action="${action}" class="fields">
<label class="field">Signing secret <input name="secret" placeholder="whsec_…" autocomplete="off" spellcheck="false"></label>
<button name="action" value="secret">${inbox.secret ? 'Replace or, when empty, remove' : 'Check signatures'}</button>
</form></section>
<section><h2>What arrived</h2>
${inbox.requests.length === 0 && html`<p class="soft">Nothing yet.</p>`}
${inbox.requests.length > SHOWN && html`<p class="soft">The newest ${SHOWN} of ${inbox.requests.length} that are kept:</p>`}
${inbox.requests.slice(-SHOWN).reverse().map(receivedRequest)}
<form method="post" action="${action}"><button name="action" value="clear">Forget them</button></form>
</section>`;
}

const behaviourWords = ({ answer, times }: InboxBehaviour): string =>
  times === undefined ? ANSWER_WORDS[answer] : `${ANSWER_WORDS[answer]} (${times} more times, then 200)`;
