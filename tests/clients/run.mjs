// Runs the clients and holds what they showed against the table of docs/clients.md.
//
//   node run.mjs [--write] [CLIENT[/WAY] ...]
//
// scripts/test-clients makes what it needs and calls it. Exit codes: 0 all is well, 1 a client
// failed or the table is another, 2 wrong usage.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { clients } from './clients.mjs';
import { run } from './course.mjs';
import { publish } from './documents.mjs';
import { openHouse } from './house.mjs';
import { arrives, openBrowser } from './person.mjs';
import { killAll } from './processes.mjs';
import { committed, table, write } from './table.mjs';

const PAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../docs/clients.md');
/** Most of a run is waiting for tokens to die, so a few share two cores well. */
const AT_ONCE = 4;
const LOG_LINES = 40;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-clients.'));
process.on('exit', () => {
  killAll();
  fs.rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

// Not by itself: what a failed run left open must not hold the others up.
process.exit(await main(process.argv.slice(2)));

async function main(args) {
  const writes = args.includes('--write');
  const names = args.filter((argument) => argument !== '--write');
  const all = clients({ python: needed('CLIENTS_PYTHON'), rmcp: needed('CLIENTS_RMCP') })
    .flatMap((client) => client.ways.map((way) => ({ client, way })));
  const matches = (one, name) => [one.client.name, `${one.client.name}/${one.way}`].includes(name);
  const unknown = names.filter((name) => !all.some((one) => matches(one, name)));
  if (unknown.length > 0 || (writes && names.length > 0)) {
    const known = all.map(({ client, way }) => `${client.name}/${way}`).join(' ');
    console.error(`usage: run.mjs [--write | CLIENT[/WAY] ...]; there are: ${known}`);
    return 2;
  }
  const isWanted = (one) => names.length === 0 || names.some((name) => matches(one, name));
  const chosen = all.filter(isWanted);
  const outcomes = await runAll(chosen);
  const failed = outcomes.filter(({ error }) => error);
  for (const { label, error, story } of failed) console.error(`\n== ${label}: ${error}\n${story}`);
  console.log(`\n${outcomes.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) return 1;
  return names.length === 0 ? holdAgainst(table(outcomes.map(({ record }) => record)), writes) : 0;
}

async function runAll(chosen) {
  const browser = await openBrowser(needed('CLIENTS_CHROMIUM'));
  const documents = await publish(folder);
  const outcomes = [];
  const waiting = [...chosen.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [place, one] = next;
      outcomes[place] = await runOne(one, browser, documents);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await browser.close();
    await documents.close();
  }
  return outcomes;
}

/** One client, one way of registering: a house, a browser and a folder of their own. */
async function runOne({ client, way }, browser, documents) {
  const label = `${client.name}/${way}`;
  const own = path.join(folder, label.replace('/', '-'));
  fs.mkdirSync(own);
  let house;
  let person;
  try {
    house = await openHouse(needed('CLIENTS_GATEHOUSE'), own, documents.authority);
    person = await arrives(browser, label.replace('/', '.'));
    const record = await run({ client, way, house, person, documents, folder: own });
    console.log(JSON.stringify(record));
    return { label, record };
  } catch (error) {
    const redacted = (text) => house?.wire.redacted(text) ?? text;
    const story = ['on the wire:', house?.wire.story() ?? '',
      'the client said:', tail(path.join(own, 'client.log')),
      'Gatehouse said:', tail(path.join(own, 'house.log'))];
    return { label, error: redacted(error.message), story: redacted(story.join('\n')) };
  } finally {
    await person?.leaves();
    await house?.close();
  }
}

/** The last lines of a log, if it was begun. */
function tail(log) {
  const text = fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '';
  return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}

function holdAgainst(fresh, writes) {
  if (writes) {
    write(PAGE, fresh);
    console.log('docs/clients.md: the table is written');
    return 0;
  }
  if (committed(PAGE) === fresh) return 0;
  console.error('docs/clients.md: the table is not what these runs showed, which is:\n');
  console.error(`${fresh}\n\nRun scripts/test-clients --write and look at the difference.`);
  return 1;
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/test-clients`);
  return value;
}
