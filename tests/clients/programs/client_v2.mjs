// npm @modelcontextprotocol/client, the TypeScript SDK of the 2.x line. Told to negotiate, it
// speaks the newest revision that the server has.

import {
  Client, StreamableHTTPClientTransport, UnauthorizedError,
} from '@modelcontextprotocol/client';

import { versionOf } from './steps.mjs';
import { host } from './typescript_host.mjs';

const versionNegotiation = { mode: 'auto' };

await host({
  newClient: () => new Client({ name: 'test', version: '1' }, { versionNegotiation }),
  Transport: StreamableHTTPClientTransport,
  UnauthorizedError,
  // With all parameters, so that it compares the issuer (RFC 9207).
  finish: (transport, answer) => transport.finishAuth(answer),
  version: versionOf('@modelcontextprotocol/client'),
});
