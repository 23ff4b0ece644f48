// Ports of loopback, and waiting that ends.

import net from 'node:net';

/** Listens on a free port of loopback; the port. */
export async function listening(server) {
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return server.address().port;
}

/** Whether somebody listens at the address of a URL. */
export function listens({ hostname, port }) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname, port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

export async function closed(server) {
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
}

/** A port that was free a moment ago, for a program that cannot say which one it took. */
export async function freePort() {
  const server = net.createServer();
  const port = await listening(server);
  await closed(server);
  return port;
}

/** `promise`, or a failure that says what was waited for. */
export async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${seconds} s`)),
      seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until the answer is something; between two questions others get a turn. */
export async function until(seconds, what, ask) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not after ${seconds} s`);
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}

const POLL_MS = 50;
