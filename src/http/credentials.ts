import type { FastifyRequest } from 'fastify';
import { type Credentials, ORGANIZATION_HEADER } from '../access/platform.js';
import type { Caller, Platform } from '../domain/Caller.js';

/** What the headers of a request say of who calls. */
export function readCredentials({ headers }: FastifyRequest): Credentials {
  return { authorization: headers.authorization, organization: headers[ORGANIZATION_HEADER.toLowerCase()] };
}

/** With whom a caller shares his turns: his organization, whoever acts for it. Who is nobody shares them with his address. */
export function turnKey(caller: Caller | Platform | null, address: string): string {
  if (!caller) return `address:${address}`;
  return caller.organizationId === null ? `platform:${caller.apiKeyId}` : `organization:${caller.organizationId}`;
}
