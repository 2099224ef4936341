import type { FastifyInstance } from 'fastify';
import type { SandboxOptions } from '../../SandboxOptions.js';
import { readForm, refuseStrangers, sendPage } from '../../web.js';
import { rootPath } from '../klaviyoContext.js';
import { controlPage } from './controlPage.js';
import type { KlaviyoControl } from './klaviyoControl.js';
import { readCommand } from './readCommand.js';

const MOST_EVENTS_ANSWERED = 20_000;

/** Registers the control page, and the same control over HTTP for other processes. */
export function controlRoutes(app: FastifyInstance, control: KlaviyoControl, options: Pick<SandboxOptions, 'baseUrl'>): void {
  const root = () => rootPath(options);
  const preHandler = refuseStrangers(options.baseUrl);
  app.get('/klaviyo', { preHandler }, (_request, reply) =>
    sendPage(reply, { title: 'Klaviyo', root: root(), body: controlPage(control, options.baseUrl()) }),
  );

  app.get('/klaviyo/control', { preHandler }, async () => ({
    counters: control.counters,
    accounts: control.accounts().map((account) => ({ ...account, events: control.eventTotals(account.id) })),
    apps: control.apps(),
    installations: control.installations(),
    faults: control.faults(),
  }));

  app.get<{ Querystring: { account?: string; last?: string } }>('/klaviyo/control/events', { preHandler }, async ({ query }) => {
    const last = Math.min(Number(query.last ?? 1_000) || 1_000, MOST_EVENTS_ANSWERED);
    return { events: control.events(query.account).slice(-last) };
  });

  app.post('/klaviyo/control', { preHandler, bodyLimit: 16 * 1024 }, async (request, reply) => {
    const form = readForm(request);
    const command = form && readCommand(form, control);
    if (!command) return reply.code(400).send({ error: 'The form has no action, or its fields do not fit it' });
    try {
      command();
    } catch (error) {
      if (error instanceof RangeError) return reply.code(409).send({ error: error.message });
      throw error;
    }
    return reply.redirect(`${root()}/klaviyo`, 303);
  });
}
