/** How the console in a page stands; `over`: the session is no good any more, set a new token. */
export type ConsoleState = 'open' | 'over';

/**
 * `<switchboard-console token="…" accent="#0a7d5a">`: the console of a session with VIEW or MANAGE, in a frame that grows with
 * its content. The session must name the page's origin. Its colours follow the page's `color-scheme`; styled by `::part(frame)`.
 */
export interface SwitchboardConsoleElement extends HTMLElement {
  token: string;
  readonly server: string;
}

declare global {
  interface HTMLElementTagNameMap {
    'switchboard-console': SwitchboardConsoleElement;
  }
}
