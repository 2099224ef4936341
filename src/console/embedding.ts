import { memoryLocation } from 'wouter/memory-location';

/** Of the frame that `<switchboard-console>` makes; null in a window of its own. */
const [, token] = /^\/console\/embedded\/(ses_[^/]+)/.exec(location.pathname) ?? [];

/** The token of the session that another page's element embeds; null where the console has a window of its own. */
export const embeddedToken: string | null = token === undefined ? null : decodeURIComponent(token);

/** Where the console is within a frame: it must not write into the history of the page around it. */
export const embeddedLocation = embeddedToken === null ? null : memoryLocation({ path: '/console' });

/** Makes a frame look like a part of the page around it, and tells that page how high it is. */
export function beginEmbedding(): void {
  if (embeddedToken === null) return;
  const root = document.documentElement;
  root.classList.add('embedded');
  const accent = new URLSearchParams(location.search).get('accent');
  if (accent && CSS.supports('color', accent)) {
    root.style.setProperty('--accent', accent);
    root.style.setProperty('--accent-hover', accent);
    root.style.setProperty('--accent-soft', `color-mix(in srgb, ${accent} 12%, transparent)`);
  }
  new ResizeObserver(() => tellHost({ height: document.body.scrollHeight })).observe(document.body);
}

/** Says something to the page around. Neither a height nor a state is a secret, so it may be any page. */
export function tellHost(message: { readonly height: number } | { readonly state: 'open' | 'over' }): void {
  if (embeddedToken !== null) window.parent.postMessage({ type: 'switchboard:console', ...message }, '*');
}
