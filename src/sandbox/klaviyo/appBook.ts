import { randomBytes } from 'node:crypto';
import type { SandboxOptions } from '../SandboxOptions.js';

/** An OAuth app as its developer registered it. */
export interface SandboxApp {
  /** Grants refer to this id, so a change of the client id does not affect them. */
  id: string;
  /** Shown to the merchant on the consent page. */
  name: string;
  clientId: string;
  clientSecret: string;
  /** Compared as whole strings, never by prefix or after normalizing. */
  redirectUris: string[];
}

/** Absent fields are generated. */
export type NewApp = Pick<SandboxApp, 'name' | 'redirectUris'> & Partial<Pick<SandboxApp, 'clientId' | 'clientSecret'>>;

export interface AppSnapshot {
  /** Redirect URIs that were added to the sandbox's own app. */
  ownRedirectUris: string[];
  added: SandboxApp[];
}

/** Id of the app that the sandbox was created with. */
export const OWN_APP = 'own';

const MOST_APPS = 100;
const MOST_REDIRECT_URIS = 50;
const CLIENT_ID = /^[\x21-\x39\x3b-\x7e]{1,200}$/;
const CLIENT_SECRET = /^[\x21-\x7e]{1,500}$/;

/** The sandbox's own app, and those that were added. */
export class AppBook {
  private ownRedirectUris: string[] = [];
  private added = new Map<string, SandboxApp>();

  constructor(private readonly options: Pick<SandboxOptions, 'clientId' | 'clientSecret' | 'redirectUris'>) {}

  list(): SandboxApp[] {
    return [this.own(), ...this.added.values()];
  }

  find(id: string): SandboxApp | undefined {
    return id === OWN_APP ? this.own() : this.added.get(id);
  }

  byClientId(clientId: string): SandboxApp | undefined {
    return this.list().find((app) => app.clientId === clientId);
  }

  /** Adds an app. Throws a RangeError that says what is wrong with it, or that there are too many. */
  add({ name, redirectUris, ...credentials }: NewApp): SandboxApp {
    if (this.added.size >= MOST_APPS) throw new RangeError(`The sandbox keeps at most ${MOST_APPS} apps`);
    const app: SandboxApp = {
      id: randomBytes(6).toString('hex'),
      name,
      clientId: credentials.clientId ?? randomBytes(9).toString('hex'),
      clientSecret: credentials.clientSecret ?? randomBytes(24).toString('base64url'),
      redirectUris: checkRedirectUris(redirectUris),
    };
    if (!CLIENT_ID.test(app.clientId)) throw new RangeError('A client id has up to 200 characters, no space and no colon');
    if (!CLIENT_SECRET.test(app.clientSecret)) throw new RangeError('A client secret has up to 500 characters and no space');
    if (this.byClientId(app.clientId)) throw new RangeError('Another app has this client id');
    this.added.set(app.id, app);
    return app;
  }

  /**
   * Replaces the redirect URIs of an app. Of the sandbox's own app, only the added ones are replaced. Returns false when there is
   * no such app.
   */
  setRedirectUris(id: string, redirectUris: string[]): boolean {
    const checked = checkRedirectUris(redirectUris);
    const app = this.added.get(id);
    if (app) app.redirectUris = checked;
    else if (id === OWN_APP) this.ownRedirectUris = checked.filter((uri) => !this.options.redirectUris.includes(uri));
    return app !== undefined || id === OWN_APP;
  }

  remove(id: string): boolean {
    return this.added.delete(id);
  }

  snapshot(): AppSnapshot {
    return { ownRedirectUris: this.ownRedirectUris, added: [...this.added.values()] };
  }

  restore({ ownRedirectUris, added }: AppSnapshot): void {
    this.ownRedirectUris = ownRedirectUris;
    this.added = new Map(added.map((app) => [app.id, app]));
  }

  private own(): SandboxApp {
    const { clientId, clientSecret, redirectUris } = this.options;
    return { id: OWN_APP, name: 'Switchboard', clientId, clientSecret, redirectUris: [...redirectUris, ...this.ownRedirectUris] };
  }
}

function checkRedirectUris(redirectUris: string[]): string[] {
  if (redirectUris.length > MOST_REDIRECT_URIS) throw new RangeError(`An app has at most ${MOST_REDIRECT_URIS} redirect URIs`);
  for (const uri of redirectUris) {
    const url = URL.canParse(uri) && uri.length <= 2_000 ? new URL(uri) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.hash) {
      throw new RangeError('A redirect URI is an http or https URL without a fragment');
    }
  }
  return [...new Set(redirectUris)];
}
