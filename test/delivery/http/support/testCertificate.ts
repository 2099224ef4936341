/**
 * A self-signed certificate for hooks.example.com, valid for a century, with its key. For tests only; no client trusts it by
 * default.
 */
export const testCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBrDCCAVOgAwIBAgIUUgzs98FcfpuF1B87SKAOLk6FjSMwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRaG9va3MuZXhhbXBsZS5jb20wIBcNMjYxMTIyMDE1NjE5WhgP
MjEyNjEwMjkwMTU2MTlaMBwxGjAYBgNVBAMMEWhvb2tzLmV4YW1wbGUuY29tMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIuWGcu3sOA7nVa7a2HirnpbyfgC9kWM7
MJWHLva7RJG/raPG4k4Na5gsZ8DprBIS0V98pyOmPgSUTH1pxn37v6NxMG8wHQYD
VR0OBBYEFIRkf6ARwnRhSqUr67rg+K7wz4eiMB8GA1UdIwQYMBaAFIRkf6ARwnRh
SqUr67rg+K7wz4eiMA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRaG9va3Mu
ZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDRwAwRAIgYBkeGGo+Yoz+qnB/gQUwTGQI
iAghBAZ8MYiyKbfgp2gCIBXQUd/BzbTwWlJ+YwK1nHf3rTf6urLSMOY6N9L6ptkX
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWiJ5OlXXtqBRdj36
XI8/x6Ck4PHj/QIPqKQGFTfZ5oqhRANCAAQi5YZy7ew4DudVrtrYeKuelvJ+AL2R
YzswlYcu9rtEkb+to8biTg1rmCxnwOmsEhLRX3ynI6Y+BJRMfWnGffu/
-----END PRIVATE KEY-----`,
};
