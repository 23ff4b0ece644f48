// npm @modelcontextprotocol/sdk, the TypeScript SDK of the 1.x line.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { versionOf } from './steps.mjs';
import { host } from './typescript_host.mjs';

await host({
  newClient: () => new Client({ name: 'test', version: '1' }),
  Transport: StreamableHTTPClientTransport,
  UnauthorizedError,
  finish: (transport, answer) => transport.finishAuth(answer.get('code')),
  version: versionOf('@modelcontextprotocol/sdk'),
});
