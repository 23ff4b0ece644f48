// npm @modelcontextprotocol/client, the TypeScript SDK of the 2.x line. It negotiates the revision
// and so speaks the stateless one.

import {
  Client, StreamableHTTPClientTransport, UnauthorizedError,
} from '@modelcontextprotocol/client';

import {
  CALL, MCP_URL, Memory, listenForRedirect, obey, textOf, versionOf,
} from './steps.mjs';

const redirect = await listenForRedirect();
const memory = new Memory(redirect.uri);
let client;

async function connect() {
  const transport = new StreamableHTTPClientTransport(new URL(MCP_URL), { authProvider: memory });
  const versionNegotiation = { mode: 'auto' };
  client = new Client({ name: 'test', version: '1' }, { versionNegotiation });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await finish(transport);
    await connect();
  }
}

/** The browser is open by now. The SDK checks the issuer, its host the state. */
async function finish(transport) {
  const answer = await redirect.next();
  if (answer.get('state') !== memory.kept.state) throw new Error('the state is another');
  await transport.finishAuth(answer);
}

/** What the SDK tells its host to do when a sign-in ended: finish, connect, ask again. */
async function asking(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await finish(client.transport);
    await client.close();
    await connect();
    return ask();
  }
}

await obey({
  connect: async () => {
    await connect();
    return { version: versionOf('@modelcontextprotocol/client') };
  },
  list: async () => {
    const { tools } = await asking(() => client.listTools());
    return { tools: tools.map(({ name }) => name) };
  },
  call: async () => ({ text: textOf(await asking(() => client.callTool(CALL))) }),
});
await client.close();
