// The real program with [[remote]] in its file, between a client and real MCP servers.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort, until } from '../clients/ports.mjs';
import { killAll, start } from '../clients/processes.mjs';

const READY_SECONDS = 60;

const { REMOTES_GATEHOUSE: gatehouse, REMOTES_PYTHON: python } = process.env;
const room = import.meta.dirname;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-remotes.'));

function log(name) {
  return path.join(folder, `${name}.log`);
}

/** Starts a program and waits until something answers at `url`, whatever it says. */
async function served(name, program, args, url, env = {}) {
  const running = start(name, program, args, { cwd: folder, log: log(name), env });
  await until(READY_SECONDS, `${name} answers`, async () => {
    running.stillRuns();
    return fetch(url).then(() => true, () => false);
  });
  return running;
}

async function startEverything() {
  const port = await freePort();
  const entry = path.join(room, 'node_modules/@modelcontextprotocol/server-everything');
  const args = [path.join(entry, 'dist/index.js'), 'streamableHttp'];
  const url = `http://127.0.0.1:${port}/mcp`;
  const running = await served('everything', process.execPath, args, url, { PORT: `${port}` });
  return { url, running, again: () => served('everything', process.execPath, args, url,
    { PORT: `${port}` }) };
}

async function startHostedSearch() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const args = [path.join(room, 'hosted_search.py'), `${port}`];
  const running = await served('hosted search', python, args, url);
  return { url, running };
}

function settings(everything, search) {
  return `
auth = "open"
limit_mcp_anonymous = "1000/1m"

[[remote]]
name = "search"
url = "${search}"
[[remote.tool]]
remote = "search_knowledge_sources"
as = "ask"
arguments.query = { from = "question" }

[[remote]]
name = "everything"
url = "${everything}"
[[remote.tool]]
remote = "echo"
as = "say"
title = "Say it"
description = "Says what it is given."
inputs.words = { description = "What to say.", required = true }
arguments.message = { template = "you said: {words}" }
[[remote.tool]]
remote = "get-structured-content"
as = "weather"
title = "Weather"
description = "The weather of a city."
arguments.location = { value = "Chicago" }
[[remote.tool]]
remote = "get-tiny-image"
as = "picture"
title = "Picture"
description = "A picture, of which only the words arrive."
`;
}

async function startGatehouse() {
  const [port, adminPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const env = {
    GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
    GATEHOUSE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    GATEHOUSE_PUBLIC_URL: url,
  };
  const running = await served('gatehouse', gatehouse, ['serve', '--dev'], url, env);
  return { url, running };
}

async function rpc(url, method, params) {
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result } = await answer.json();
  assert.ok(result, `${method} ${JSON.stringify(params)} is answered`);
  return result;
}

const call = (url, name, args) => rpc(url, 'tools/call', { name, arguments: args });

async function check() {
  const program = start('check', gatehouse, ['check', '--dev'], { cwd: folder, log: log('check') });
  assert.equal(await program.ended, 'check ended (0)', fs.readFileSync(log('check'), 'utf8'));
  const said = fs.readFileSync(log('check'), 'utf8');
  for (const name of ['remote[0] (search)', 'remote[1] (everything)']) {
    assert.ok(said.includes(`ok    ${name}: it answers, in revision `), said);
  }
  for (const line of said.split('\n').filter((it) => it.includes('remote['))) console.log(line);
}

async function tell(url, everything, search) {
  const { tools } = await rpc(url, 'tools/list', {});
  const names = tools.map((tool) => tool.name);
  for (const name of ['say', 'weather', 'picture', 'ask_gatehouse_question']) {
    assert.ok(names.includes(name), `${name} is offered`);
  }

  const asked = await call(url, 'ask_gatehouse_question', { question: 'upgrade', top_k: 1 });
  assert.equal(asked.structuredContent.source, 'search');
  assert.deepEqual(asked.structuredContent.sections.map(({ title, url: at, text }) => [
    title, at, text,
  ]), [['Rolling upgrades', 'https://hosted.example/upgrade',
    'Upgrade the brokers one at a time.']]);
  const nothing = await call(url, 'ask_gatehouse_question', { question: 'zebra' });
  assert.deepEqual(nothing.structuredContent, { sections: [], source: 'search' });
  assert.match(nothing.content[0].text, /Try fewer/);
  const broken = await call(url, 'ask_gatehouse_question', { question: 'break' });
  assert.equal(broken.structuredContent.source, 'local');
  assert.ok(!JSON.stringify(broken).includes('stack trace of theirs'));

  const said = await call(url, 'say', { words: 'hello' });
  assert.deepEqual(said.structuredContent,
    { source: 'everything', text: 'Echo: you said: hello' });
  const weather = await call(url, 'weather', {});
  assert.equal(JSON.parse(weather.structuredContent.text).conditions, 'Light rain / drizzle');
  const picture = await call(url, 'picture', {});
  assert.ok(picture.content.every((block) => block.type === 'text'), JSON.stringify(picture));

  // It comes back without the sessions it gave.
  await everything.running.stop();
  const away = await call(url, 'say', { words: 'hello' });
  assert.equal(away.isError, true);
  assert.match(away.content[0].text, /everything, which answers this tool, does not answer/);
  await everything.again();
  const back = await call(url, 'say', { words: 'again' });
  assert.equal(back.structuredContent.text, 'Echo: you said: again');

  await search.running.stop();
  const local = await call(url, 'ask_gatehouse_question', { question: 'install' });
  assert.equal(local.structuredContent.source, 'local');
  assert.match(local.structuredContent.note, /search does not answer just now/);
  assert.ok(local.structuredContent.sections.length > 0);
}

let passed = false;
try {
  const [everything, search] = await Promise.all([startEverything(), startHostedSearch()]);
  fs.writeFileSync(path.join(folder, 'gatehouse.toml'), settings(everything.url, search.url));
  await check();
  const house = await startGatehouse();
  await tell(house.url, everything, search);
  passed = true;
  console.log('ok    every call came back as it should');
} catch (error) {
  console.error(error);
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    console.error(`---- ${file}\n${fs.readFileSync(path.join(folder, file), 'utf8')}`);
  }
} finally {
  killAll();
  fs.rmSync(folder, { recursive: true, force: true });
}
process.exit(passed ? 0 : 1);
