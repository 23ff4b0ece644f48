// npm mcp-remote, the bridge that desktop programs start; here the program is the SDK over stdio.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import { CALL, DOCUMENT, MCP_URL, moduleFile, obey, textOf, versionOf } from './steps.mjs';

const client = new Client({ name: 'test', version: '1' });
const SIGN_IN_MS = 45_000;

await obey({
  connect: async () => {
    const document = DOCUMENT ? ['--client-metadata-url', DOCUMENT] : [];
    await client.connect(new StdioClientTransport({
      command: process.execPath,
      args: [moduleFile('mcp-remote', 'dist', 'proxy.js'), MCP_URL, ...document],
      env: process.env,
    }), { timeout: SIGN_IN_MS });
    return { version: versionOf('mcp-remote') };
  },
  list: async () => ({ tools: (await client.listTools()).tools.map(({ name }) => name) }),
  call: async () => ({
    text: textOf(await client.callTool(CALL, undefined, { timeout: SIGN_IN_MS })),
  }),
});
await client.close();
