// What the checks of a run come to, beside a baseline.
//
// Stricter than the suite: scenarios that it runs without scoring count too, an entry is one check
// that fails in the words its baseline quotes, and an entry that excuses nothing is stale even if
// its check is gone.

import { parse } from 'yaml';

/** Reads a baseline: for each entry what its check complains of, as quoted above its group. */
export function readBaseline(text, file) {
  const quoted = new Map();
  let complaint;
  for (const line of text.split('\n').map((line) => line.trim())) {
    if (line.startsWith('#')) complaint = /^# "(.+)"$/.exec(line)?.[1];
    else if (line.startsWith('- ')) quoted.set(line.slice(2), complaint);
    else complaint = undefined;
  }
  const mistakes = [];
  for (const entry of parse(text).server) {
    const isOneCheck = /^[^:\s]+:[^:\s]+$/.test(entry);
    if (!isOneCheck) mistakes.push(`${file}: ${entry} does not name one check`);
    if (!quoted.get(entry)) mistakes.push(`${file}: no reason is given for ${entry}`);
  }
  return { quoted, mistakes };
}

/** Counts `checks` and names what is wrong with them. */
export function judge(checks, quoted = new Map()) {
  const found = { passed: 0, baselined: 0, failed: 0, wrong: [] };
  const excused = new Set();
  for (const check of checks) {
    const name = `${check.scenario}:${check.id}`;
    const complaint = check.errorMessage ?? check.description;
    if (check.status === 'SUCCESS') found.passed += 1;
    if (check.status !== 'FAILURE' && check.status !== 'WARNING') continue;
    if (quoted.has(name) && complaint.includes(quoted.get(name))) {
      found.baselined += 1;
      excused.add(name);
    } else {
      found.failed += 1;
      found.wrong.push(`${name}: ${complaint}`);
    }
  }
  const stale = [...quoted.keys()].filter((entry) => !excused.has(entry));
  found.wrong.push(...stale.map((entry) => `${entry}: the baseline excuses nothing; mend it`));
  return found;
}
