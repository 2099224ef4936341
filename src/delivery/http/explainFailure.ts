import { errors } from 'undici';
import type { HttpErrorCode } from './httpOutcome.js';

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  ERR_ADDRESS_REFUSED: 'private_address',
  ERR_LOOKUP_FAILED: 'dns',
  ERR_RESOLVER_SILENT: 'resolver',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'protocol',
  UND_ERR_INVALID_ARG: 'protocol',
  UND_ERR_NOT_SUPPORTED: 'protocol',
  UND_ERR_CLOSED: 'aborted',
  UND_ERR_DESTROYED: 'aborted',
};

/** OpenSSL's verification results, as Node names them: CERT_HAS_EXPIRED, DEPTH_ZERO_SELF_SIGNED_CERT, … */
const TLS_CODE = /^ERR_(TLS|SSL)_|CERT|^UNABLE_TO_|^CRL_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

const SENTENCES: Readonly<Record<HttpErrorCode, (host: string, detail: string) => string>> = {
  timeout: (host, detail) => `${host} did not answer in full within ${detail}.`,
  dns: (host) => `The host name of ${host} could not be resolved.`,
  resolver: () => 'Our name servers do not answer.',
  connection_refused: (host) => `${host} could not be reached: it refused the connection or there is no route to it.`,
  connection_reset: (host) => `${host} closed the connection before it had answered in full.`,
  tls: (host, detail) => `No secure connection to ${host} could be made${detail && ` (${detail})`}.`,
  private_address: (host) => `${host} is not at a public address, and only public addresses may be delivered to.`,
  invalid_url: () => 'The address is not a valid http or https URL.',
  protocol: (host, detail) => `The exchange with ${host} was not valid HTTP/1.1${detail && ` (${detail})`}.`,
  aborted: (host) => `The request to ${host} was given up here before it was answered.`,
  unknown: (host, detail) => `The request to ${host} failed${detail && ` (${detail})`}.`,
};

export interface Failure {
  readonly code: HttpErrorCode;
  readonly message: string;
}

/**
 * Puts an error of undici, node:net or node:tls into our words. Their messages are not passed on: they may hold resolved
 * addresses or parts of the request; their codes are harmless.
 *
 * @param host host and port as the URL has them.
 */
export function explainFailure(error: unknown, host: string, timeoutMs: number): Failure {
  const native = nativeCode(error);
  const code =
    CODES[native] ?? (error instanceof errors.HTTPParserError ? 'protocol' : TLS_CODE.test(native) ? 'tls' : 'unknown');
  return describeFailure(code, host, code === 'timeout' ? inSeconds(timeoutMs) : native);
}

/** @param detail a duration for `timeout`, else a native error code or nothing. */
export function describeFailure(code: HttpErrorCode, host: string, detail = ''): Failure {
  return { code, message: SENTENCES[code](host, detail) };
}

/** 15000 → "15 s", 250 → "0.25 s". */
export function inSeconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** Parser errors of undici have no code. When every address of a host failed, node:net throws one AggregateError that bears the first failure's code. */
function nativeCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
