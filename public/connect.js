// Switchboard: connects an account from any page, with a session's token. No dependency. Types: connect.d.ts beside this file.

const HOME = new URL(import.meta.url).origin;
const SEE = '{ session { locale connection { id status authorization { id status errorCode providerErrorCode } } } }';
const WATCH = 'subscription ($id: ID!) { connectionUpdated(id: $id) { status } }';
const OVER = ['SESSION_EXPIRED', 'SESSION_ENDED', 'UNAUTHENTICATED'];
const FINISHED = ['COMPLETED', 'DENIED', 'FAILED'];

/** Opens the connect page in a pop-up, and resolves with what came of it. Call it from a click: browsers block other pop-ups. */
export function connect({ token, server = HOME }) {
  const url = `${server}/connect/${encodeURIComponent(token)}`;
  const popup = window.open(`${url}?display=popup`, 'switchboard-connect', 'popup,width=520,height=760');
  if (!popup) {
    // The whole page goes there, and comes back to the session's returnTo.
    location.assign(url);
    return new Promise((resolve) => {
      // Whoever goes back may find it as it was left.
      const outcome = { outcome: 'closed', connectionId: null, errorCode: null, errorDescription: null };
      addEventListener('pageshow', ({ persisted }) => persisted && resolve(outcome));
    });
  }
  const before = ask(server, token).catch(() => null);
  return new Promise((resolve) => {
    const finish = (outcome, connectionId = null, errorCode = null, errorDescription = null) => {
      clearInterval(watch);
      removeEventListener('message', hear);
      resolve({ outcome, connectionId, errorCode, errorDescription });
    };
    const hear = ({ origin, source, data }) => {
      if (origin !== new URL(server).origin || (source && source !== popup)) return;
      if (data?.type !== 'switchboard:authorization') return;
      finish(data.outcome, data.connection, data.errorCode, data.errorDescription);
    };
    const watch = setInterval(async () => {
      if (!popup.closed) return;
      clearInterval(watch);
      // What it said last may still be on its way. If it could not say it, the server knows.
      await new Promise((soon) => setTimeout(soon, 300));
      const [first, now] = await Promise.all([before, ask(server, token).catch(() => null)]);
      const attempt = now?.connection?.authorization;
      const isNew = first && attempt && attempt.id !== first.connection?.authorization?.id;
      if (isNew && FINISHED.includes(attempt.status)) {
        finish(attempt.status.toLowerCase(), now.connection.id, attempt.providerErrorCode ?? attempt.errorCode?.toLowerCase());
      } else finish('closed', now?.connection?.id);
    }, 300);
    addEventListener('message', hear);
  });
}

/** The session with its connection. Throws an Error with the server's `code`. */
async function ask(server, token) {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: SEE }),
  });
  const { data, errors } = await response.json();
  if (errors) throw Object.assign(new Error(errors[0].message), { code: errors[0].extensions?.code });
  return data.session;
}

// connect, again, connected, not connected, lost, over
const WORDS = {
  en: ['Connect', 'Connect again', 'Connected', 'Not connected', 'Connection lost', 'This page is too old: load it again'],
  de: [
    'Verbinden',
    'Neu verbinden',
    'Verbunden',
    'Nicht verbunden',
    'Verbindung verloren',
    'Diese Seite ist zu alt: bitte neu laden',
  ],
  nl: [
    'Verbinden',
    'Opnieuw verbinden',
    'Verbonden',
    'Niet verbonden',
    'Verbinding verbroken',
    'Deze pagina is te oud: laad haar opnieuw',
  ],
  fr: ['Connecter', 'Reconnecter', 'Connecté', 'Non connecté', 'Connexion perdue', 'Cette page est trop ancienne : rechargez-la'],
  es: [
    'Conectar',
    'Volver a conectar',
    'Conectado',
    'Sin conectar',
    'Conexión perdida',
    'Esta página es antigua: vuelve a cargarla',
  ],
  it: ['Collega', 'Ricollega', 'Collegato', 'Non collegato', 'Collegamento perso', 'Questa pagina è vecchia: ricaricala'],
};
const STATES = { ACTIVE: 'connected', REAUTHORIZATION_REQUIRED: 'lost', DISABLED: 'disabled' };

/** `<switchboard-connect token="…">`: a button that knows whether the account is connected, and stays so. */
class SwitchboardConnect extends (globalThis.HTMLElement ?? class {}) {
  static observedAttributes = ['token', 'server'];
  #root;
  #socket;
  #retry;
  /** Counts what was begun, so that an answer to what is over is not heard. */
  #turn = 0;
  /** Counts what the socket told, which is newer than the answer to what was asked before. */
  #told = 0;
  #pauses = 0;
  #isOpen = false;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    this.#root.innerHTML = '<button part="button" type="button"><slot></slot></button> <span part="status" role="status"></span>';
    this.#root.querySelector('button').addEventListener('click', () => this.connect());
  }

  connectedCallback() {
    this.#begin();
  }

  disconnectedCallback() {
    this.#end();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#begin();
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

  /** loading, disconnected, connected, lost, disabled or over. */
  get state() {
    return this.getAttribute('state') ?? 'loading';
  }

  /** What a click does. Resolves with the outcome, or with null while the pop-up is open already. */
  async connect() {
    if (this.#isOpen || this.state === 'over') return null;
    this.#isOpen = true;
    const result = await connect({ token: this.token, server: this.server });
    this.#isOpen = false;
    this.#tell('switchboard-outcome', result);
    if (this.isConnected) await this.#look(this.#turn);
    return result;
  }

  #begin() {
    this.#end();
    this.#show('loading');
    if (this.token) this.#watch(this.#turn);
  }

  #end() {
    this.#turn += 1;
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  /** Reads how it stands; returns the connection's id, or undefined when that is not known. */
  async #look(turn) {
    const told = this.#told;
    try {
      const { connection, locale } = await ask(this.server, this.token);
      if (turn !== this.#turn || told !== this.#told) return connection?.id;
      this.#show(connection ? (STATES[connection.status] ?? 'disconnected') : 'over', locale);
      return connection?.id;
    } catch ({ code }) {
      if (turn === this.#turn && OVER.includes(code)) this.#show('over');
    }
  }

  /** Hears of changes (graphql-transport-ws), and reads anew whenever some may have been missed. */
  async #watch(turn) {
    const id = await this.#look(turn);
    if (turn !== this.#turn || this.state === 'over') return;
    const again = () => {
      this.#pauses = Math.min(this.#pauses + 1, 6);
      this.#retry = setTimeout(() => this.#watch(turn), 500 * 2 ** this.#pauses * (1 + Math.random()));
    };
    if (!id) return again();
    const socket = new WebSocket(`${this.server.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    this.#socket = socket;
    const send = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => send({ type: 'connection_init', payload: { Authorization: `Bearer ${this.token}` } });
    socket.onmessage = ({ data }) => {
      const { type, payload } = JSON.parse(data);
      if (turn !== this.#turn) return;
      if (type === 'ping') send({ type: 'pong' });
      else if (type === 'connection_ack') {
        send({ type: 'subscribe', id: '1', payload: { query: WATCH, variables: { id } } });
        // What changed before it was heard.
        setTimeout(() => turn === this.#turn && this.#look(turn), 500);
      } else if (type === 'next' && payload.data) {
        this.#pauses = 0;
        this.#told += 1;
        this.#show(STATES[payload.data.connectionUpdated.status] ?? 'disconnected');
      } else if (type === 'error' || type === 'complete' || type === 'next') socket.close();
    };
    socket.onclose = ({ code }) => {
      if (turn !== this.#turn) return;
      if (code === 4401) this.#show('over');
      else again();
    };
  }

  #show(state, locale) {
    if (locale) this.#locale = locale;
    const language = (this.closest('[lang]')?.lang || this.#locale || navigator.language).slice(0, 2).toLowerCase();
    const [first, again, connected, not, lost, over] = WORDS[language] ?? WORDS.en;
    const before = this.state;
    this.setAttribute('state', state);
    this.#root.querySelector('slot').textContent = state === 'connected' || state === 'lost' ? again : first;
    const said = { loading: '', connected, lost, disconnected: not, disabled: not, over }[state];
    const status = this.#root.querySelector('span');
    if (status.textContent !== said) status.textContent = said;
    this.#root.querySelector('button').setAttribute('aria-disabled', String(state === 'over' || state === 'loading'));
    if (state !== before) this.#tell('switchboard-state', { state });
  }

  #locale = '';

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get('switchboard-connect')) {
  customElements.define('switchboard-connect', SwitchboardConnect);
}
