// A client and a person at the front door: registration, PKCE, "Allow" and the login form in a real
// browser, the code at a callback, the exchange.

import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

import { chromium } from 'playwright-core';

const STEP_AT_MOST_MS = 30_000;

/** Debian's Chromium without a window, quiet on the network. */
export async function openBrowser(executablePath) {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update'];
  // Root has no sandbox to offer.
  const asRoot = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: [...quiet, ...asRoot] });
  return browser;
}

/** What a person does with an authorization address, up to the page of the client. */
export async function allowAndSignIn(browser, address, callback) {
  // Each time somebody who has never been here: no approval is remembered.
  const person = await browser.newContext();
  try {
    person.setDefaultTimeout(STEP_AT_MOST_MS);
    const page = await person.newPage();
    await page.goto(address);
    await page.locator('button[name=decision][value=approve]').click();
    await page.getByLabel('E-mail address').fill('conformance@example.com');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL((url) => url.href.startsWith(`${callback}?`));
  } finally {
    await person.close();
  }
}

/** Registers a client for `redirectUri` and answers with its identifier. */
export async function register(house, redirectUri) {
  const answer = await fetch(`${house}/oauth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance suite',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  });
  return (await answered(answer, 201, 'registration')).client_id;
}

/** An access token for `house`/mcp, by every step a client takes. */
export async function accessToken(house, browser) {
  const callback = await listenForCallback();
  try {
    const client = await register(house, callback.url);
    const verifier = randomBytes(32).toString('base64url');
    const state = randomBytes(16).toString('base64url');
    const common = { client_id: client, redirect_uri: callback.url, resource: `${house}/mcp` };
    const request = new URLSearchParams({
      ...common,
      response_type: 'code',
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    await allowAndSignIn(browser, `${house}/oauth/authorize?${request}`, callback.url);
    const returned = await callback.parameters;
    if (returned.get('state') !== state) throw new Error('sign-in: another state came back');
    if (returned.get('iss') !== house) throw new Error('sign-in: another issuer answered');
    const answer = await fetch(`${house}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...common,
        grant_type: 'authorization_code',
        code: returned.get('code') ?? '',
        code_verifier: verifier,
      }),
    });
    return (await answered(answer, 200, 'token')).access_token;
  } finally {
    callback.close();
  }
}

/** The body, or an error that names the mistake and never repeats a secret. */
async function answered(answer, status, what) {
  const body = await answer.json();
  if (answer.status === status) return body;
  throw new Error(`${what}: ${answer.status} ${body.error}: ${body.error_description}`);
}

async function listenForCallback() {
  const listener = http.createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${listener.address().port}/callback`;
  const parameters = new Promise((resolve) => {
    listener.on('request', (request, response) => {
      response.end('You may close this page.');
      const address = new URL(request.url, url);
      if (address.pathname === '/callback') resolve(address.searchParams);
    });
  });
  const close = () => {
    listener.close();
    listener.closeAllConnections();
  };
  return { url, parameters, close };
}
