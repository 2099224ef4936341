import type { Database } from '../database/Database.js';
import { API_KEY_SCOPES } from '../domain/ApiKey.js';
import { Organization } from '../domain/Organization.js';
import { addApiKey, type KeyPair } from './apiKeys.js';

export interface CreatedOrganization extends KeyPair {
  readonly organizationId: number;
}

/** Creates an organization with a first API key that may do everything. The secret is shown this once. */
export function createOrganization({ database }: { database: Database }, name: string): Promise<CreatedOrganization> {
  return database.transaction(async (em) => {
    const organization = em.create(Organization, { name, createdAt: new Date() });
    await em.flush();
    const key = await addApiKey({ em }, { organizationId: organization.id, name: 'First key', scopes: API_KEY_SCOPES });
    return { ...key, organizationId: organization.id };
  });
}
