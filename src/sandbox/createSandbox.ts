import type { FastifyPluginAsync } from 'fastify';
import { heldConnections } from './heldConnections.js';
import { type InboxControl, inboxControl } from './inbox/inboxControl.js';
import { inboxRoutes } from './inbox/inboxRoutes.js';
import { InboxStore } from './inbox/inboxStore.js';
import { type KlaviyoControl, klaviyoControl } from './klaviyo/control/klaviyoControl.js';
import { createKlaviyo } from './klaviyo/createKlaviyo.js';
import { rootPath } from './klaviyo/klaviyoContext.js';
import { klaviyoRoutes } from './klaviyo/klaviyoRoutes.js';
import type { SandboxOptions } from './sandboxOptions.js';
import { sandboxPlugin } from './sandboxPlugin.js';

export type { InboxBehaviour } from './inbox/inboxBehaviour.js';
export type { ReceivedRequest } from './inbox/inboxStore.js';
export type { NewApp, SandboxApp } from './klaviyo/appBook.js';
export type { ArrivedEvent } from './klaviyo/eventLog.js';
export type { FaultKind, FaultOrder } from './klaviyo/faultBox.js';
export type { SandboxOptions } from './sandboxOptions.js';
export type { InboxControl, KlaviyoControl };

export interface Sandbox {
  /** To be registered under the path that `baseUrl` ends in. */
  plugin: FastifyPluginAsync;
  klaviyo: KlaviyoControl;
  inbox: InboxControl;
  /** Saves what is unsaved and lets go of held connections. Closing the server around the plugin does the same. */
  close(): Promise<void>;
}

/** A local Klaviyo and a webhook inbox. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const held = heldConnections();
  const { context, flush } = createKlaviyo(options, held);
  const klaviyo = klaviyoControl(context);
  const store = new InboxStore(context.now);
  const inbox = inboxControl(store, held);
  const close = async () => {
    held.releaseAll();
    await flush();
  };
  const plugin = sandboxPlugin({
    routes: [
      (app) => klaviyoRoutes(app, context, klaviyo),
      (app) => inboxRoutes(app, { store, held, root: () => rootPath(options) }, inbox, options.baseUrl),
    ],
    release: held.releaseAll,
    close,
  });
  return { plugin, klaviyo, inbox, close };
}
