// Gatehouse itself, as anybody starts it: the real program with its built-in identity provider, a
// folder of its own and a port that nobody else uses. One for each run, so that runs are strangers.

import fs from 'node:fs';
import path from 'node:path';

import { freePort, until } from './ports.mjs';
import { start } from './processes.mjs';
import { startWire } from './wire.mjs';

/** Short enough to see tokens die, long enough for a call on a busy machine to come before. */
const ACCESS_TOKEN_SECONDS = 6;

const READY_SECONDS = 30;

/** Starts one in `folder`. It believes the certificates of `trusted`. */
export async function openHouse(program, folder, trusted) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const wire = await startWire(port);
  const data = path.join(folder, 'house');
  fs.mkdirSync(data);
  const running = start('gatehouse', program, ['serve', '--dev'], {
    cwd: data,
    log: path.join(folder, 'house.log'),
    env: {
      GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
      GATEHOUSE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      GATEHOUSE_PUBLIC_URL: wire.url,
      GATEHOUSE_ACCESS_TOKEN_TTL: `${ACCESS_TOKEN_SECONDS}s`,
      GATEHOUSE_CIMD_ALLOW_LOOPBACK: 'true',
      SSL_CERT_FILE: trusted,
    },
  });
  const ready = async () => {
    running.stillRuns();
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    return answer?.ok;
  };
  const house = new House(wire, running, port);
  try {
    await until(READY_SECONDS, 'gatehouse is ready', ready);
  } catch (error) {
    await house.close();
    throw error;
  }
  return house;
}

class House {
  constructor(wire, running, port) {
    this.wire = wire;
    this.url = wire.url;
    this.mcp = `${wire.url}/mcp`;
    this.running = running;
    this.port = port;
  }

  /** What it says of itself to clients. */
  async metadata() {
    const answer = await this.#ask('/.well-known/oauth-authorization-server');
    return answer.json();
  }

  /** The status that `accessToken` gets at /mcp: 405 is a welcome, where GET has nothing to get. */
  async admits(accessToken) {
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await this.#ask('/mcp', { headers });
    return answer.status;
  }

  /** Ends a sign-in as a person or an operator would, behind the client's back. */
  async revoke(clientId, token) {
    const body = new URLSearchParams({ client_id: clientId, token });
    const answer = await this.#ask('/oauth/revoke', { method: 'POST', body });
    if (answer.status !== 200) throw new Error(`revocation answered ${answer.status}`);
  }

  async close() {
    await this.running.stop();
    await this.wire.close();
  }

  // Not over the wire, which is the client's. The host is allowed on loopback by its name alone.
  #ask(where, init) {
    return fetch(`http://127.0.0.1:${this.port}${where}`, init);
  }
}
