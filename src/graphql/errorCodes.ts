import { registerEnumType } from 'type-graphql';

/** Stored error codes as values of an enum: in capitals, and OTHER for each code that is not in the table. */
interface ErrorCodes {
  /** The enum, by name; its values are the stored codes. */
  readonly type: Readonly<Record<string, string>>;
  /** Returns the enum's value for a stored code. */
  of(stored: string): string;
  /** Returns the stored code when its value is OTHER, and null otherwise. */
  other(stored: string): string | null;
}

const OTHER = 'other';

/** Registers the enum for a table of stored codes with their descriptions. */
function errorCodes(name: string, description: string, meanings: Readonly<Record<string, string>>, other: string): ErrorCodes {
  const stored = new Map([...Object.entries(meanings), [OTHER, other]]);
  const named = <Part>(partOf: (code: string, meaning: string) => Part) =>
    Object.fromEntries([...stored].map(([code, meaning]) => [code.toUpperCase(), partOf(code, meaning)]));
  const type = named((code) => code);
  registerEnumType(type, { name, description, valuesConfig: named((_code, meaning) => ({ description: meaning })) });
  return {
    type,
    of: (code) => (stored.has(code) ? code : OTHER),
    other: (code) => (stored.has(code) && code !== OTHER ? null : code),
  };
}

/** Codes of `Authorization.errorCode`: our own, and those that a provider sends (RFC 6749 4.1.2.1, 5.2). */
export const authorizationErrorCodes = errorCodes(
  'AuthorizationErrorCode',
  'Why an authorization was not completed.',
  {
    access_denied: 'The merchant denied access (RFC 6749 4.1.2.1).',
    account_mismatch: 'The merchant chose another account than the connection belongs to.',
    account_unknown: 'The provider did not name the account, and the connection belongs to one already.',
    browser_mismatch: 'The callback came from another browser than the one that started the authorization.',
    connection_deleted: 'The connection was deleted before the authorization was completed.',
    expired: 'The browser did not come back within ten minutes.',
    internal_error: 'An internal error of this server.',
    interrupted: 'The server was stopped while it exchanged the code.',
    invalid_callback: 'The parameters of the callback are missing, repeated, too long or contradictory.',
    invalid_client: "The provider refused this server's client id or secret (RFC 6749 5.2). The operator must act.",
    invalid_grant: 'The provider refused the code, because it is too old or was used before (RFC 6749 5.2).',
    invalid_grant_type: 'The provider refused the grant type. The operator must act.',
    invalid_request: 'The provider found the request malformed (RFC 6749 4.1.2.1, 5.2).',
    invalid_scope: 'The provider refused a requested scope (RFC 6749 4.1.2.1, 5.2).',
    not_authenticated: "The provider's API refused the new access token.",
    permission_denied: 'The new grant lacks the scope that reading the account needs.',
    provider_timeout: 'The provider did not answer within ten seconds.',
    provider_unavailable: 'The provider could not be reached, or its answer could not be read.',
    rate_limited: 'The provider limits requests at the moment.',
    server_error: 'The provider had an internal error (RFC 6749 4.1.2.1).',
    temporarily_unavailable: 'The provider is overloaded or in maintenance (RFC 6749 4.1.2.1).',
    unauthorized_client: "The provider does not allow this server's app to ask for an authorization (RFC 6749 4.1.2.1, 5.2).",
    unsupported_grant_type: 'The provider does not support the grant type (RFC 6749 5.2).',
    unsupported_response_type: 'The provider does not support the response type (RFC 6749 4.1.2.1).',
  },
  'Another code of the provider; providerErrorCode has it.',
);

const attemptTable = errorCodes(
  'AttemptErrorCode',
  'Why an attempt failed.',
  {
    abandoned: 'The test was stopped before the destination answered.',
    aborted: 'This server ended the exchange, for example because it stops.',
    bad_status: 'The destination answered with a status other than 2xx; statusCode has it.',
    connection_refused: 'The connection was refused, or the host is unreachable.',
    connection_reset: 'The connection was closed before the response was complete.',
    dns: 'The host name could not be resolved.',
    held: 'The connection cannot deliver at the moment, so the test was not sent.',
    internal: 'An internal error of this server.',
    invalid_url: 'The URL of the webhook is not valid.',
    permission_denied: 'The grant lacks a scope that the delivery needs.',
    private_address: 'The host resolves to an address that is not public.',
    protocol: 'The response is not valid HTTP.',
    provider_unavailable: 'The provider could not be reached, or its answer could not be read.',
    rate_limited: 'The rate limit of the destination is used up.',
    recipient_invalid: 'The destination accepts none of the identifiers of the recipient.',
    recipient_missing: 'The event has no recipient, and the destination needs one.',
    refused: 'The destination refused the event, without a code of its own.',
    resolver: 'The name servers of this server did not answer.',
    timeout: 'The destination did not answer in time.',
    tls: 'The TLS handshake failed, or the certificate is not valid.',
    unknown: 'The exchange failed for another reason.',
    unstorable: 'The response could not be stored.',
  },
  'Another code of the destination; destinationCode has it.',
);

/** Codes of `AttemptError.code`: our own, and those of a destination. Each code `http_<status>` is BAD_STATUS. */
export const attemptErrorCodes: ErrorCodes = {
  type: attemptTable.type,
  of: (code) => attemptTable.of(withoutStatus(code)),
  other: (code) => attemptTable.other(withoutStatus(code)),
};

function withoutStatus(code: string): string {
  return /^http_\d{3}$/.test(code) ? 'bad_status' : code;
}
