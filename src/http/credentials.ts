import type { FastifyRequest } from 'fastify';
import { type Credentials, ORGANIZATION_HEADER } from '../access/platform.js';

/** Returns the credentials in the headers of a request. */
export function readCredentials({ headers }: FastifyRequest): Credentials {
  return { authorization: headers.authorization, organization: headers[ORGANIZATION_HEADER.toLowerCase()] };
}
