/**
 * Why an exchange got no usable answer. `aborted` means that we gave it up ourselves (stop of the process, caller's
 * signal), `resolver` that our own name servers answer nobody: both say nothing about the receiver and must not count as an
 * attempt.
 */
export type HttpErrorCode =
  | 'timeout'
  | 'dns'
  | 'resolver'
  | 'connection_refused'
  | 'connection_reset'
  | 'tls'
  | 'private_address'
  | 'invalid_url'
  | 'protocol'
  | 'aborted'
  | 'unknown';

/** Header names in lower case; a header that came several times is a list. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What one HTTP exchange came to. Durations are whole milliseconds, from the call of `send` on. */
export type HttpOutcome = HttpResponse | HttpError;

export interface HttpResponse {
  readonly kind: 'response';
  readonly statusCode: number;
  readonly headers: ResponseHeaders;
  /** UTF-8, undecodable bytes replaced, NUL removed; at most `maxBodyBytes` bytes of what was sent. */
  readonly body: string;
  readonly bodyTruncated: boolean;
  readonly durationMs: number;
}

export interface HttpError {
  readonly kind: 'error';
  readonly code: HttpErrorCode;
  /** One readable sentence, fit for a merchant: no path, query, header or resolved address in it. */
  readonly message: string;
  readonly durationMs: number;
}
