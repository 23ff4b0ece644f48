// The compatibility table of docs/clients.md: what the runs showed, and nothing else.

import fs from 'node:fs';

const BEGIN = '<!-- The table is written by scripts/test-clients --write. -->';
const END = '<!-- End of the table. -->';
const HEAD = ['client', 'version', 'registration', 'revision', 'refresh', 'after a revocation',
  'result'];
const REFRESHES = { refused: 'when refused (401)', expired: 'by its own clock' };
const WAYS = { dcr: 'dynamic registration', cimd: 'metadata document' };

export function table(records) {
  const rows = records.map((record) => [
    record.title, record.version, WAYS[record.registration], record.revision,
    `${REFRESHES[record.refresh]}, twice`, record.recovery,
    `connects, lists ${record.tools} tools, calls one${record.remark ? `. ${record.remark}` : ''}`,
  ]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What stands in `file` now. */
export function committed(file) {
  return between(fs.readFileSync(file, 'utf8')).table;
}

export function write(file, text) {
  const { before, after } = between(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}

function between(page) {
  const [before, rest, ...others] = page.split(BEGIN);
  const [inside, after, ...more] = (rest ?? '').split(END);
  if (after === undefined || others.length > 0 || more.length > 0) {
    throw new Error('docs/clients.md needs the two comments around the table, once');
  }
  return { before, table: inside.trim(), after };
}
