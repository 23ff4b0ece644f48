// The wire: a relay between the client and Gatehouse that remembers what went over it. It changes
// nothing. What a run shows is read here and not taken from the client's word.

import http from 'node:http';

import { closed, listening } from './ports.mjs';

const TOKEN_PATHS = ['/oauth/token', '/token'];
const REGISTRATION_PATHS = ['/oauth/register', '/register'];

/** Relays to `upstreamPort`; clients know it by the port of its own. */
export async function startWire(upstreamPort) {
  const exchanges = [];
  const server = http.createServer((request, response) => {
    relay(request, response, upstreamPort, exchanges);
  });
  const port = await listening(server);
  return new Wire(server, port, exchanges);
}

class Wire {
  constructor(server, port, exchanges) {
    this.server = server;
    this.url = `http://127.0.0.1:${port}`;
    this.exchanges = exchanges;
  }

  /** Where the conversation stands; what came later is told by `since`. */
  mark() {
    return this.exchanges.length;
  }

  registrations(since = 0) {
    const posts = this.#posts(REGISTRATION_PATHS, since).filter(({ status }) => status === 201);
    return posts.map(({ answer }) => ({ clientId: json(answer).client_id }));
  }

  /** Token requests of a grant type, with what was sent and what came back. */
  tokenRequests(grantType, since = 0) {
    const sent = this.#posts(TOKEN_PATHS, since).map((exchange) => ({
      ...exchange, form: new URLSearchParams(exchange.body), answer: json(exchange.answer),
    }));
    return sent
      .filter(({ form }) => form.get('grant_type') === grantType)
      .map(({ form, status, answer, at, place }) => ({
        mark: place,
        at,
        status,
        error: answer.error,
        clientId: form.get('client_id'),
        resource: form.get('resource'),
        hasVerifier: form.has('code_verifier'),
        presented: form.get('refresh_token'),
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token,
        expiresIn: answer.expires_in,
      }));
  }

  /** JSON-RPC requests of `method` at /mcp. */
  calls(method, since = 0) {
    const posts = this.#posts(['/mcp', '/mcp/'], since);
    return posts
      .filter(({ body }) => json(body).method === method)
      .map((exchange) => ({
        status: exchange.status,
        revision: exchange.headers['mcp-protocol-version'],
        accessToken: (exchange.headers.authorization ?? '').replace(/^Bearer /i, ''),
        answer: json(exchange.answer),
      }));
  }

  /** How often `accessToken` was refused at /mcp. */
  refusals(accessToken, since = 0) {
    return this.exchanges.slice(since).filter(({ path, status, headers }) =>
      path.startsWith('/mcp') && status === 401 &&
      headers.authorization === `Bearer ${accessToken}`).length;
  }

  /** One line an exchange, without anything secret. */
  story() {
    const lines = this.exchanges.map(({ method, path, status, body, answer }) => {
      const said = json(body).method ?? new URLSearchParams(body).get('grant_type') ?? '';
      return `${method} ${path} ${said} → ${status} ${json(answer).error ?? ''}`.trimEnd();
    });
    return lines.join('\n');
  }

  /** The text without any token or code that went over the wire. */
  redacted(text) {
    const secrets = new Set();
    for (const { search, headers, body, answer } of this.exchanges) {
      const told = [json(answer), Object.fromEntries(new URLSearchParams(body)),
        Object.fromEntries(new URLSearchParams(search))];
      for (const fields of told) {
        for (const name of ['access_token', 'refresh_token', 'code', 'code_verifier', 'token']) {
          if (typeof fields[name] === 'string') secrets.add(fields[name]);
        }
      }
      if (headers.authorization) secrets.add(headers.authorization.replace(/^\w+ /, ''));
    }
    let clean = text;
    for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '[secret]');
    return clean;
  }

  async close() {
    await closed(this.server);
  }

  #posts(paths, since) {
    return this.exchanges.slice(since)
      .filter(({ method, path }) => method === 'POST' && paths.includes(path));
  }
}

async function relay(request, response, upstreamPort, exchanges) {
  try {
    const body = await all(request);
    const answer = await new Promise((resolve, reject) => {
      // The raw headers, so that `Host` and every spelling arrive as they were sent.
      const onward = http.request({
        host: '127.0.0.1', port: upstreamPort, method: request.method, path: request.url,
        headers: request.rawHeaders, agent: false,
      }, resolve);
      onward.on('error', reject);
      onward.end(body);
    });
    const answered = await all(answer);
    const url = new URL(request.url, 'http://relay.invalid');
    exchanges.push({
      place: exchanges.length, at: Date.now(),
      method: request.method, path: url.pathname, search: url.search, headers: request.headers,
      body: body.toString(), status: answer.statusCode,
      answer: answered.toString(),
    });
    response.writeHead(answer.statusCode, answer.rawHeaders);
    response.end(answered);
  } catch {
    // Whoever hung up, the other side is to see the same.
    response.destroy();
  }
}

export async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The JSON object in `text`; an empty one when it is something else. */
function json(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}
