// The suite itself, run as its command line says, and what it wrote down.

import { spawn } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUN_AT_MOST_MS = 120_000;

const PACKAGE = fileURLToPath(
  new URL('./node_modules/@modelcontextprotocol/conformance', import.meta.url),
);
const PROGRAM = path.join(PACKAGE, 'dist', 'index.js');

/**
 * Runs the suite with `args` by the Node at `node`, its results below `results`. `hears` gets each
 * line that it writes. The answer has its exit code, its output and all checks.
 */
export async function runSuite({ node, args, results, hears = () => {}, leftovers }) {
  await rm(results, { recursive: true, force: true });
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = spawn(node, [PROGRAM, ...args, '-o', results], { stdio });
  const remove = () => child.kill('SIGKILL');
  leftovers.add(remove);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      hears(line);
    });
  }
  const deadline = setTimeout(remove, RUN_AT_MOST_MS);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    return { code, output, checks: await checksBelow(results) };
  } finally {
    clearTimeout(deadline);
    leftovers.delete(remove);
  }
}

/** The names of the server scenarios of a revision, scored or not. */
export async function serverScenarios(revision, parse) {
  const file = path.join(PACKAGE, 'requirements', `${revision}.yaml`);
  const set = parse(await readFile(file, 'utf8'));
  const unscored = set.not_scored.filter((entry) => entry.leg === 'server');
  return [...set.server, ...unscored.map((entry) => entry.scenario)];
}

/** Each check with its scenario; a run writes one folder per scenario, named after it. */
async function checksBelow(results) {
  const checks = [];
  for (const run of await readdir(results)) {
    const named = run.replace(/^(server|authorization)-/, '');
    const scenario = named.replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    const written = await readFile(path.join(results, run, 'checks.json'), 'utf8');
    for (const check of JSON.parse(written)) checks.push({ scenario, ...check });
  }
  return checks;
}
