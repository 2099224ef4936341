import type { FastifyRequest } from 'fastify';
import { type Credentials, ORGANIZATION_HEADER } from '../access/platform.js';

/** What the headers of a request say of who calls. */
export function readCredentials({ headers }: FastifyRequest): Credentials {
  return { authorization: headers.authorization, organization: headers[ORGANIZATION_HEADER.toLowerCase()] };
}
