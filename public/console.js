// Switchboard: shows the console in any page, with a session's token. No dependency. Types: console.d.ts beside this file.

const HOME = new URL(import.meta.url).origin;

/** `<switchboard-console token="…">`: a frame that grows with its content, so that the page scrolls and the frame does not. */
class SwitchboardConsole extends (globalThis.HTMLElement ?? class {}) {
  static observedAttributes = ['token', 'server', 'accent'];
  #frame = null;

  constructor() {
    super();
    this.attachShadow({ mode: 'open' });
  }

  connectedCallback() {
    addEventListener('message', this.#hear);
    this.#load();
  }

  disconnectedCallback() {
    removeEventListener('message', this.#hear);
  }

  attributeChangedCallback(_name, before, now) {
    if (this.isConnected && now !== before) this.#load();
  }

  get token() {
    return this.getAttribute('token') ?? '';
  }

  set token(token) {
    this.setAttribute('token', token);
  }

  get server() {
    return this.getAttribute('server') ?? HOME;
  }

  #load() {
    this.#frame?.remove();
    this.#frame = null;
    if (!this.token) return;
    const address = new URL(`${this.server}/console/embedded/${encodeURIComponent(this.token)}`);
    if (this.hasAttribute('accent')) address.searchParams.set('accent', this.getAttribute('accent'));
    const frame = document.createElement('iframe');
    frame.title = this.getAttribute('title') ?? 'Switchboard';
    frame.allow = 'clipboard-write';
    frame.setAttribute('part', 'frame');
    frame.style.cssText = 'display: block; width: 100%; height: 30rem; border: 0; background: transparent';
    frame.src = address.href;
    this.#frame = frame;
    this.shadowRoot.append(frame);
  }

  #hear = ({ origin, source, data }) => {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== new URL(this.server).origin) return;
    if (data?.type !== 'switchboard:console') return;
    if (Number.isFinite(data.height)) this.#frame.style.height = `${Math.min(Math.max(data.height, 320), 20_000)}px`;
    if (data.state) {
      const detail = { state: String(data.state) };
      this.dispatchEvent(new CustomEvent('switchboard-state', { detail, bubbles: true, composed: true }));
    }
  };
}

if (globalThis.customElements && !customElements.get('switchboard-console')) {
  customElements.define('switchboard-console', SwitchboardConsole);
}
