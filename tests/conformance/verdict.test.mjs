// That a wrong run cannot look right.

import assert from 'node:assert/strict';
import test from 'node:test';

import { judge, readBaseline } from './verdict.mjs';

const BASELINE = `server:
  # A tool of the suite's:
  # "Unknown tool"
  - call:call-text
`;
const { quoted } = readBaseline(BASELINE, 'b.yml');
const check = (id, status, errorMessage) => ({ scenario: 'call', id, status, errorMessage });
const excused = check('call-text', 'FAILURE', 'Failed: Unknown tool.');

test('what the baseline quotes is excused and counted', () => {
  const checks = [excused, check('wire', 'SUCCESS'), check('note', 'INFO'), check('n', 'SKIPPED')];
  assert.deepEqual(judge(checks, quoted), { passed: 1, baselined: 1, failed: 0, wrong: [] });
});

test('a failure or warning that no entry names is wrong', () => {
  for (const status of ['FAILURE', 'WARNING']) {
    const found = judge([excused, check('wire', status, 'not JSON')], quoted);
    assert.deepEqual([found.failed, found.wrong], [1, ['call:wire: not JSON']]);
  }
});

test('an entry excuses one complaint, not every failure of its check', () => {
  const found = judge([check('call-text', 'FAILURE', 'status 500')], quoted);
  assert.equal(found.failed, 1);
  assert.match(found.wrong[0], /status 500/);
});

test('an entry whose check passes or is gone is stale', () => {
  for (const checks of [[check('call-text', 'SUCCESS')], []]) {
    assert.match(judge(checks, quoted).wrong[0], /^call:call-text: the baseline excuses nothing/);
  }
});

test('an entry needs a reason of its own group and the name of one check', () => {
  const others = ['- other:check', '# A reason, and no quote.', '- third:check', '- whole'];
  const text = `${BASELINE}\n${others.map((line) => `  ${line}\n`).join('')}`;
  assert.deepEqual(readBaseline(text, 'b.yml').mistakes, [
    'b.yml: no reason is given for other:check',
    'b.yml: no reason is given for third:check',
    'b.yml: whole does not name one check',
    'b.yml: no reason is given for whole',
  ]);
});
