// Client ID metadata documents, as client makers publish them: over https, here with a certificate
// that only the Gatehouse of the run believes.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

import { closed, listening } from './ports.mjs';

const DAYS = '2';

/** Redirect URIs without a port, as in Claude Code's document (CF-08): the real port is chosen at
 * run time. Each of the clients uses one of them. */
const REDIRECT_URIS = [
  'http://127.0.0.1/callback', 'http://localhost/callback', 'http://localhost/oauth/callback',
];

/** Serves the documents; `folder` gets the certificates. */
export async function publish(folder) {
  const { authority, key, certificate } = certificates(folder);
  const fetched = new Map();
  const server = https.createServer({
    key: fs.readFileSync(key), cert: fs.readFileSync(certificate),
  });
  const port = await listening(server);
  const origin = `https://localhost:${port}`;
  server.on('request', (request, response) => {
    fetched.set(request.url, (fetched.get(request.url) ?? 0) + 1);
    const document = {
      client_id: `${origin}${request.url}`,
      client_name: `Client ${path.basename(request.url, '.json')}`,
      redirect_uris: REDIRECT_URIS,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document));
  });
  return {
    authority,
    /** The identifier of the client that the run calls `name`. */
    urlOf: (name) => `${origin}/clients/${name}.json`,
    fetchesOf: (name) => fetched.get(`/clients/${name}.json`) ?? 0,
    close: () => closed(server),
  };
}

/** A certificate authority of this run, and a certificate of it for localhost. */
function certificates(folder) {
  const at = (name) => path.join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...fresh, '-keyout', at('authority.key'), '-out', at('authority.pem'),
    '-days', DAYS, '-subj', '/CN=Authority of one test run',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign');
  openssl('req', ...fresh, '-keyout', at('documents.key'), '-out', at('documents.csr'),
    '-subj', '/CN=localhost');
  fs.writeFileSync(at('documents.ext'),
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n');
  openssl('x509', '-req', '-in', at('documents.csr'), '-CA', at('authority.pem'),
    '-CAkey', at('authority.key'), '-CAcreateserial', '-days', DAYS,
    '-extfile', at('documents.ext'), '-out', at('documents.pem'));
  return { authority: at('authority.pem'), key: at('documents.key'),
    certificate: at('documents.pem') };
}
