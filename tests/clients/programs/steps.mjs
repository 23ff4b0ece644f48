// What the Node programs share: steps in, sightings out, a browser, and the way back from it.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const MCP_URL = process.env.CLIENTS_MCP_URL;
/** The address of the client's metadata document, when it is to introduce itself with it. */
export const DOCUMENT = process.env.CLIENTS_DOCUMENT;
/** What is read when a tool is called. */
export const CALL = { name: 'read_page', arguments: { path: 'index.md' } };

const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));

/** Does a step for each line, until there are no more. A step that fails ends the program. */
export async function obey(steps) {
  for await (const step of createInterface({ input: process.stdin })) {
    const seen = await steps[step]();
    process.stdout.write(`${JSON.stringify({ did: step, ...seen })}\n`);
  }
}

/** Of the package that is installed. */
export function versionOf(name) {
  return JSON.parse(fs.readFileSync(path.join(MODULES, name, 'package.json'), 'utf8')).version;
}

export function moduleFile(...parts) {
  return path.join(MODULES, ...parts);
}

/** The text of a tool's answer. */
export function textOf(result) {
  return result.content.map(({ text }) => text ?? '').join('\n');
}

export function openBrowser(address) {
  const opener = spawn(process.env.BROWSER, [String(address)], { stdio: 'inherit' });
  opener.on('exit', (code) => {
    if (code !== 0) throw new Error(`the browser could not be opened (${code})`);
  });
}

/** Listens where the browser comes back to. */
export async function listenForRedirect() {
  let arrived;
  let arrival = new Promise((resolve) => { arrived = resolve; });
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    // A browser that holds on to its connection would hold this program too.
    response.setHeader('connection', 'close');
    if (url.pathname !== '/callback') {
      response.writeHead(404).end();
      return;
    }
    response.end('Signed in. Return to the program.');
    arrived(url.searchParams);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  // It is no reason to go on when there is nothing else to do.
  server.unref();
  return {
    uri: `http://127.0.0.1:${server.address().port}/callback`,
    /** What the next redirect carries. */
    async next() {
      const parameters = await arrival;
      arrival = new Promise((resolve) => { arrived = resolve; });
      return parameters;
    },
  };
}
