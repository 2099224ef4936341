import { ApiKey } from './ApiKey.js';
import { Authorization } from './Authorization.js';
import { Connection } from './Connection.js';
import { Credential } from './Credential.js';
import { Organization } from './Organization.js';

/** Every table of ours, parents first. */
export const entities = [Organization, ApiKey, Connection, Authorization, Credential] as const;
