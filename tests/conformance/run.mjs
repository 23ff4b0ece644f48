// The official conformance suite against the real program. See README.md.
//
//   run.mjs --binary PATH --browser PATH --node PATH --results FOLDER [--write]
//
// Exit codes: 0 all is as the baselines and docs/clients.md say, 1 something is not.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { parse } from 'yaml';

import { freePort, startHouse } from './house.mjs';
import { startRelay } from './relay.mjs';
import { accessToken, allowAndSignIn, openBrowser, register } from './sign_in.mjs';
import { runSuite, serverScenarios } from './suite.mjs';
import { judge, readBaseline } from './verdict.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const MANUAL = path.join(HERE, '..', '..', 'docs', 'clients.md');
const BEGIN = '<!-- written by scripts/test-conformance --write -->\n';
const END = '<!-- end -->\n';
const SUITE = '@modelcontextprotocol/conformance';
const REVISIONS = ['2026-07-28', '2025-11-25'];

const text = { type: 'string' };
const { values: given } = parseArgs({
  options: { binary: text, browser: text, node: text, results: text, write: { type: 'boolean' } },
});

/** What takes away a process or a folder that must not outlive us. */
const leftovers = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
process.on('exit', () => {
  for (const remove of leftovers) remove();
});

/** The relay must add what opens the door and nothing that hides who knocks. */
async function relayIsHonest(house, relay) {
  const ask = async (url, headers) => {
    const init = { 'Content-Type': 'application/json', Accept: '*/*', ...headers };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const answer = await fetch(`${url}/mcp`, { method: 'POST', headers: init, body });
    await answer.arrayBuffer();
    return answer.status;
  };
  const seen = {
    'without a token': await ask(house, {}),
    'through the relay': await ask(relay, {}),
    'from a foreign page': await ask(relay, { Origin: 'http://evil.example' }),
  };
  const wanted = [401, 200, 403];
  return Object.entries(seen)
    .filter(([, status], at) => status !== wanted[at])
    .map(([how, status]) => `a request ${how} is answered ${status}`);
}

async function serverMode(revision, relay) {
  const file = path.join(HERE, `baseline-${revision}.yml`);
  const { quoted, mistakes } = readBaseline(await readFile(file, 'utf8'), path.basename(file));
  const args = ['server', '--url', `${relay}/mcp`, '--requirements', revision];
  const { code, output, checks } = await runSuite({
    node: given.node,
    args: [...args, '--expected-failures', file],
    results: path.join(given.results, revision),
    leftovers,
  });
  const found = judge(checks, quoted);
  found.wrong.push(...mistakes);
  const ran = output.filter((line) => line.startsWith('=== Running scenario: '));
  const wanted = await serverScenarios(revision, parse);
  found.scenarios = wanted.length;
  if (ran.length !== wanted.length) {
    found.wrong.push(`${ran.length} scenarios ran of ${wanted.length}`);
  }
  return told(revision, code, output, found);
}

async function authorizationMode(house, browser) {
  const port = await freePort();
  const callback = `http://127.0.0.1:${port}/callback`;
  const client = await register(house, callback);
  let signIn = Promise.resolve();
  const { code, output, checks } = await runSuite({
    node: given.node,
    args: [
      'authorization', '--url', house, '--client-id', client, '-p', `${port}`,
      '--resource', `${house}/mcp`,
    ],
    results: path.join(given.results, 'authorization'),
    leftovers,
    // The suite prints the address that a person is to open.
    hears: (line) => {
      if (line.startsWith(`${house}/`)) signIn = allowAndSignIn(browser, line, callback);
      signIn.catch(() => {});
    },
  });
  await signIn;
  // A warning is about something optional.
  const warnings = checks.filter((check) => check.status === 'WARNING');
  for (const check of warnings) console.log(`authorization: warning: ${check.errorMessage}`);
  const found = judge(checks.filter((check) => check.status !== 'WARNING'));
  found.scenarios = new Set(checks.map((check) => check.scenario)).size;
  if (found.scenarios !== 2) found.wrong.push(`${found.scenarios} scenarios ran of 2`);
  return told('authorization', code, output, found);
}

/** Adds the suite's own verdict; what it wrote is shown only when something is wrong. */
function told(name, code, output, found) {
  if (code !== 0) found.wrong.push(`the suite ended with ${code}`);
  if (found.wrong.length > 0) console.log(output.join('\n'));
  return { name, ...found };
}

/** The table of docs/clients.md. */
function table(runs) {
  const rows = runs.map(({ name, scenarios, passed, baselined, failed }) => (
    `| ${name} | ${scenarios} | ${passed} | ${baselined} | ${failed} |`
  ));
  const head = ['| run | scenarios | checks passed | baselined | failed |',
    '| --- | --- | --- | --- | --- |'];
  return `${[...head, ...rows].join('\n')}\n`;
}

/** What the manual says must be what was seen, or becomes it. */
async function manualAgrees(seen) {
  const manual = await readFile(MANUAL, 'utf8');
  const { dependencies } = JSON.parse(await readFile(path.join(HERE, 'package.json'), 'utf8'));
  const suite = `\`${SUITE}\` ${dependencies[SUITE]},`;
  if (!manual.includes(suite)) return [`docs/clients.md does not say ${suite}`];
  const [before, rest] = manual.split(BEGIN);
  if (rest === undefined || !rest.includes(END)) return ['docs/clients.md has no place for it'];
  const after = rest.slice(rest.indexOf(END));
  const said = rest.slice(0, rest.indexOf(END)).trim();
  if (said === seen.trim()) return [];
  if (!given.write) return ['docs/clients.md says otherwise; run scripts/test-conformance --write'];
  await writeFile(MANUAL, `${before}${BEGIN}\n${seen}\n${after}`);
  return [];
}

async function main() {
  const house = await startHouse(given.binary, leftovers);
  const browser = await openBrowser(given.browser);
  const relay = await startRelay(house.url, await accessToken(house.url, browser));
  const wrong = await relayIsHonest(house.url, relay.url);
  const runs = [];
  for (const revision of REVISIONS) runs.push(await serverMode(revision, relay.url));
  runs.push(await authorizationMode(house.url, browser));
  await relay.close();
  await browser.close();
  await house.stop();

  const seen = table(runs);
  console.log(`\n${seen}`);
  for (const run of runs) wrong.push(...run.wrong.map((finding) => `${run.name}: ${finding}`));
  // Numbers of a run that failed are nobody's business but the reader's of this log.
  if (wrong.length === 0) wrong.push(...await manualAgrees(seen));
  for (const finding of wrong) console.log(`conformance: ${finding}`);
  console.log(wrong.length === 0 ? 'conformance: all is well' : 'conformance: failed');
  process.exit(wrong.length === 0 ? 0 : 1);
}

main().catch((error) => {
  console.error(`conformance: ${error.message}`);
  process.exit(1);
});
