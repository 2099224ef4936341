/** What came of an attempt to connect. */
export interface ConnectOutcome {
  /** `closed`: the window was closed before there was an outcome. */
  readonly outcome: 'completed' | 'denied' | 'failed' | 'expired' | 'superseded' | 'closed';
  readonly connectionId: string | null;
  /** Why it did not work; null when it did, or when nobody knows. */
  readonly errorCode: string | null;
  /** The same in a sentence or two for the merchant, in the language of the session. */
  readonly errorDescription: string | null;
}

export interface ConnectOptions {
  /** Of a session with CONNECT. */
  readonly token: string;
  /** Where Switchboard is, without a slash at the end; where this module was loaded from, unless given. A bundler hides that. */
  readonly server?: string;
}

/**
 * Opens the connect page in a pop-up, and resolves with what came of it. Call it from a click: browsers block other pop-ups.
 * Where they are blocked, the page itself goes there, and comes back to the session's `returnTo`; nothing is resolved then, unless the merchant goes back.
 */
export function connect(options: ConnectOptions): Promise<ConnectOutcome>;

/** How a connection stands, as the element's attribute `state`; `over`: the session is no good any more, set a new token. */
export type ConnectState = 'loading' | 'disconnected' | 'connected' | 'lost' | 'disabled' | 'over';

/** `<switchboard-connect token="…">`, styled by `::part(button)` and `::part(status)`. What is in it is the button's label. */
export interface SwitchboardConnectElement extends HTMLElement {
  token: string;
  readonly server: string;
  readonly state: ConnectState;
  /** What a click does; null while its pop-up is open already. */
  connect(): Promise<ConnectOutcome | null>;
}

declare global {
  interface HTMLElementTagNameMap {
    'switchboard-connect': SwitchboardConnectElement;
  }
  interface HTMLElementEventMap {
    'switchboard-outcome': CustomEvent<ConnectOutcome>;
    'switchboard-state': CustomEvent<{ readonly state: ConnectState }>;
  }
}
