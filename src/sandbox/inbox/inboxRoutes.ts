import type { FastifyInstance } from 'fastify';
import { readForm } from '../web/readForm.js';
import { refuseStrangers } from '../web/refuseStrangers.js';
import { sendPage } from '../web/sendPage.js';
import type { InboxControl } from './inboxControl.js';
import { inboxListPage, inboxPage } from './inboxPages.js';
import { isInboxName } from './inboxStore.js';
import { readInboxCommand } from './readInboxCommand.js';
import { type InboxContext, receiveRoute } from './receiveRoute.js';

interface Named {
  Params: { name: string };
}

/** The webhook inbox: where webhooks arrive, the pages that show them, and what commands it over HTTP. */
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

  // The list of inboxes has a form that names one; without scripts it can only ask for it in a query.
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
