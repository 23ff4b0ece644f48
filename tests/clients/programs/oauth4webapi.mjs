// npm oauth4webapi, a strict OAuth client: it refuses what the RFCs do not allow. It knows nothing
// of MCP, so the messages and the decision when to refresh are this program's.

import * as oauth from 'oauth4webapi';

import { CALL, DOCUMENT, MCP_URL, listenForRedirect, obey, openBrowser, textOf, versionOf }
  from './steps.mjs';

const REVISION = '2025-11-25';
const options = { [oauth.allowInsecureRequests]: true };
const redirect = await listenForRedirect();
const server = new URL(MCP_URL);
let issuer;
let client;
let tokens;
let count = 0;

async function discover() {
  const resource = await oauth.processResourceDiscoveryResponse(server,
    await oauth.resourceDiscoveryRequest(server, options));
  const address = new URL(resource.authorization_servers[0]);
  const asked = await oauth.discoveryRequest(address, { ...options, algorithm: 'oauth2' });
  issuer = await oauth.processDiscoveryResponse(address, asked);
}

async function introduce() {
  if (DOCUMENT) {
    client = { client_id: DOCUMENT };
    return;
  }
  const asked = await oauth.dynamicClientRegistrationRequest(issuer, {
    client_name: 'Strict client', redirect_uris: [redirect.uri],
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }, options);
  client = await oauth.processDynamicClientRegistrationResponse(asked);
}

async function signIn() {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(issuer.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirect.uri, response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256', state, resource: MCP_URL,
  });
  openBrowser(address);
  const answer = oauth.validateAuthResponse(issuer, client, await redirect.next(), state);
  const asked = await oauth.authorizationCodeGrantRequest(issuer, client, oauth.None(), answer,
    redirect.uri, verifier, { ...options, additionalParameters: { resource: MCP_URL } });
  tokens = await oauth.processAuthorizationCodeResponse(issuer, client, asked);
  await judge(tokens.access_token);
}

/** The access token as a strict resource server would read it (RFC 9068). */
async function judge(accessToken) {
  const request = new Request(MCP_URL, { headers: { authorization: `Bearer ${accessToken}` } });
  await oauth.validateJwtAccessToken(issuer, request, MCP_URL, options);
}

/** Whether there are new tokens; false when the sign-in is over. */
async function refresh() {
  const asked = await oauth.refreshTokenGrantRequest(issuer, client, oauth.None(),
    tokens.refresh_token, { ...options, additionalParameters: { resource: MCP_URL } });
  try {
    tokens = await oauth.processRefreshTokenResponse(issuer, client, asked);
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') return false;
    throw error;
  }
  await judge(tokens.access_token);
  return true;
}

async function send(method, params) {
  count += 1;
  const headers = new Headers({
    accept: 'application/json, text/event-stream', 'content-type': 'application/json',
    'mcp-protocol-version': REVISION,
  });
  const body = JSON.stringify({ jsonrpc: '2.0', id: count, method, params });
  const answer = await oauth.protectedResourceRequest(tokens.access_token, 'POST', server, headers,
    body, options);
  return (await answer.json()).result;
}

/** A challenge that says `invalid_token` means: refresh, and when that is refused, sign in. */
async function ask(method, params) {
  try {
    return await send(method, params);
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    const [challenge] = error.cause;
    const isOver = challenge.scheme === 'bearer' && challenge.parameters.error === 'invalid_token';
    if (!isOver) throw error;
    if (!await refresh()) await signIn();
    return send(method, params);
  }
}

await obey({
  connect: async () => {
    await discover();
    await introduce();
    await signIn();
    await ask('initialize', {
      protocolVersion: REVISION, capabilities: {}, clientInfo: { name: 'test', version: '1' },
    });
    const remark = 'An OAuth library: MCP and the decision to refresh are the test\'s own';
    return { version: versionOf('oauth4webapi'), remark };
  },
  list: async () => ({ tools: (await ask('tools/list', {})).tools.map(({ name }) => name) }),
  call: async () => ({ text: textOf(await ask('tools/call', CALL)) }),
});
