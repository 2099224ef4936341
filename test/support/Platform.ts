import { createPlatformKey } from '../../src/access/platform.js';
import { type GraphQLAnswer, GraphQLClient } from './GraphQLClient.js';
import type { TestSwitchboard } from './startSwitchboard.js';

const UPSERT = `mutation ($input: UpsertOrganizationInput!) { upsertOrganization(input: $input) {
  organization { id externalId name metadata createdAt deletion { requestedAt } } created userErrors { code message path } } }`;

/** A platform that calls the API with its key, for no organization. */
export class Platform extends GraphQLClient {
  static async of({ database, publicUrl }: TestSwitchboard): Promise<Platform> {
    return new Platform(`${publicUrl}/graphql`, await createPlatformKey({ database }, 'Test platform'));
  }

  /** Returns a client of the same platform that acts for an organization. */
  actingFor(organization: string): ActingPlatform {
    return new ActingPlatform(this.url, this.keys, organization);
  }

  async upsert(input: object) {
    return (await this.query(UPSERT, { input })).upsertOrganization;
  }

  /** Creates an organization with this externalId. Returns a client that acts for it. */
  async newOrganization(externalId: string): Promise<ActingPlatform> {
    await this.upsert({ externalId });
    return this.actingFor(externalId);
  }
}

export class ActingPlatform extends GraphQLClient {
  constructor(
    url: string,
    keys: GraphQLClient['keys'],
    readonly organization: string,
  ) {
    super(url, keys);
  }

  override send(query: string, variables: object = {}, headers: Record<string, string> = {}): Promise<GraphQLAnswer> {
    return super.send(query, variables, { 'switchboard-organization': this.organization, ...headers });
  }
}
