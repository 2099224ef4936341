import type { Database } from '../database/Database.js';
import { API_KEY_SCOPES } from '../domain/ApiKey.js';
import { Organization } from '../domain/Organization.js';
import { addApiKey, type KeyPair } from './apiKeys.js';

export interface CreatedOrganization extends KeyPair {
  readonly organizationId: number;
}

/** Creates an organization and its first API key, which has all scopes but `platform`. The secret is returned only here. */
export function createOrganization({ database }: { database: Database }, name: string): Promise<CreatedOrganization> {
  return database.transaction(async (em) => {
    const organization = em.create(Organization, { name, createdAt: new Date() });
    await em.flush();
    const key = await addApiKey({ em }, { organizationId: organization.id, name: 'First key', scopes: API_KEY_SCOPES });
    return { ...key, organizationId: organization.id };
  });
}
