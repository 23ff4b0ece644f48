// What both TypeScript SDKs ask of the program they are built into: a memory, a browser, and to
// finish a sign-in when the browser comes back.

import {
  CALL, DOCUMENT, MCP_URL, listenForRedirect, obey, openBrowser, textOf,
} from './steps.mjs';

/**
 * Runs the steps with an SDK: `newClient`, its `Transport`, its `UnauthorizedError`, and `finish`,
 * which hands what the browser brought to the transport. Says `version`.
 */
export async function host({ newClient, Transport, UnauthorizedError, finish, version }) {
  const redirect = await listenForRedirect();
  const memory = new Memory(redirect.uri);
  let client;

  const connect = async () => {
    const transport = new Transport(new URL(MCP_URL), { authProvider: memory });
    client = newClient();
    try {
      await client.connect(transport);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await signedIn(transport);
      await connect();
    }
  };
  // The browser is open by now. The SDK leaves it to its host to compare the state.
  const signedIn = async (transport) => {
    const answer = await redirect.next();
    if (answer.get('state') !== memory.kept.state) throw new Error('the state is another');
    await finish(transport, answer);
  };
  // What the SDK's manual says to do when a sign-in has ended: finish, connect, ask again.
  const asking = async (ask) => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await signedIn(client.transport);
      await client.close();
      await connect();
      return ask();
    }
  };

  await obey({
    connect: async () => {
      await connect();
      return { version };
    },
    list: async () => {
      const { tools } = await asking(() => client.listTools());
      return { tools: tools.map(({ name }) => name) };
    },
    call: async () => ({ text: textOf(await asking(() => client.callTool(CALL))) }),
  });
  await client.close();
}

/** What an SDK has its host remember, for as long as the program runs. */
class Memory {
  constructor(redirectUrl) {
    this.redirectUrl = redirectUrl;
    this.clientMetadataUrl = DOCUMENT;
    this.clientMetadata = {
      client_name: 'Client of a test', redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
    this.kept = {};
  }

  state() {
    this.kept.state = crypto.randomUUID();
    return this.kept.state;
  }

  clientInformation() { return this.kept.client; }

  saveClientInformation(client) { this.kept.client = client; }

  tokens() { return this.kept.tokens; }

  saveTokens(tokens) { this.kept.tokens = tokens; }

  codeVerifier() { return this.kept.verifier; }

  saveCodeVerifier(verifier) { this.kept.verifier = verifier; }

  discoveryState() { return this.kept.discovery; }

  saveDiscoveryState(discovery) { this.kept.discovery = discovery; }

  redirectToAuthorization(address) { openBrowser(address); }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'tokens') delete this.kept.tokens;
    if (scope === 'all' || scope === 'client') delete this.kept.client;
    if (scope === 'all' || scope === 'verifier') delete this.kept.verifier;
    if (scope === 'all' || scope === 'discovery') delete this.kept.discovery;
  }
}
