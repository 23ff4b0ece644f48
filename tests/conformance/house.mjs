// The real program on loopback, with its built-in identity provider and a folder of its own that
// goes when it ends.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const READY_AT_MOST_MS = 60_000;

/** A port of loopback that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** What the caller's shell says must not change what is tested. */
function environment() {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_'));
  return Object.fromEntries(others);
}

/** Starts `binary`; the answer has its `url` and `stop()`, which `leftovers` gets too. */
export async function startHouse(binary, leftovers) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-conformance.'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = [
    '--dev', '--public-url', url, '--listen', `127.0.0.1:${port}`,
    '--admin-listen', `127.0.0.1:${await freePort()}`, '--log-format', 'json',
    // The suite sends in a second what one person sends in an hour.
    '--limit-mcp', '100000/15m',
  ];
  const options = { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(binary, ['serve', ...settings], options);
  const remove = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  leftovers.add(remove);
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, signal) => resolve(new Error(`it ended with ${code ?? signal}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    remove();
    leftovers.delete(remove);
  };
  try {
    await ready(child, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** Waits for the line that says so. What was written until then explains a failure. */
async function ready(child, ended) {
  const written = [];
  let deadline;
  const said = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        written.push(line);
        if (/"message":"ready"/.test(line)) resolve();
      });
    }
    const late = new Error(`it is not ready after ${READY_AT_MOST_MS} ms`);
    deadline = setTimeout(() => reject(late), READY_AT_MOST_MS);
    ended.then(reject);
  });
  try {
    await said;
  } catch (error) {
    throw new Error(`gatehouse: ${error.message}\n${written.join('\n')}`);
  } finally {
    clearTimeout(deadline);
  }
}
