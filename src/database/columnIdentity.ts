/** The identity under which each encrypted column is bound to its row. Where they are: `encryptedColumns`. */
export const columnIdentity = {
  webhookAuthConfig: (connectionId: number) => `connections:${connectionId}:authConfig`,
  signingSecret: (connectionId: number) => `connections:${connectionId}:signingSecret`,
  recipient: (eventId: string) => `events:${eventId}:recipient`,
  properties: (eventId: string) => `events:${eventId}:properties`,
  codeVerifier: (authorizationId: string) => `authorizations:${authorizationId}:codeVerifier`,
  accessToken: (connectionId: number) => `credentials:${connectionId}:accessToken`,
  refreshToken: (connectionId: number) => `credentials:${connectionId}:refreshToken`,
  keptAnswer: (requestId: string) => `idempotent_requests:${requestId}:answer`,
  revokedToken: (jobId: string) => `revocations:${jobId}:token`,
  canary: (keyId: string) => `encryption_canaries:${keyId}:canary`,
} as const;
