// The suite's server mode cannot send a token, so it speaks to this relay, which adds one.
//
// Nothing else changes: Host and Origin go through as they came, so that what the suite says of
// rebound names is answered by the house and not by the relay.

import http from 'node:http';

/** Listens on loopback in front of `target`; the answer has its `url` and `close()`. */
export async function startRelay(target, token) {
  const { hostname, port } = new URL(target);
  const relay = http.createServer((request, response) => {
    const headers = [...request.rawHeaders, 'Authorization', `Bearer ${token}`];
    const { method, url: path } = request;
    const onward = http.request({ hostname, port, method, path, headers, setHost: false });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => {
    relay.close(resolve);
    relay.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${relay.address().port}`, close };
}
