import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logrotateHint, parseLogrotateOutput } from './logrotate-output.ts';

const OUTPUT = `reading config file app.conf
acquired lock on state file app.state
Handling 1 logs

rotating pattern: "/l/a.log" "/l/b.log" "/l/c.log" 1024 bytes empty log files are not rotated
considering log /l/a.log
  Now: 2026-11-23 06:58
  log needs rotating
considering log /l/b.log
  log does not need rotating (log size is below the 'size' threshold)
considering log /l/c.log
  log /l/d.log does not exist -- skipping
rotating log /l/a.log, log->rotateCount is -1
copying /l/a.log to /l/a.log-20261123-065841
truncating /l/a.log
error: skipping "/l/e.log" because parent directory has insecure permissions (It's world writable)
`;

void test('what logrotate says is read: what it rotated, what it left alone and why, and its errors', () => {
  const report = parseLogrotateOutput(OUTPUT);
  assert.deepEqual(report.rotated, [{ path: '/l/a.log', to: '/l/a.log-20261123-065841', isCopied: true }]);
  assert.deepEqual(report.skipped, [
    { path: '/l/b.log', reason: "log size is below the 'size' threshold" },
    { path: '/l/d.log', reason: 'it does not exist' },
  ]);
  assert.equal(report.errors.length, 1);
  assert.match(logrotateHint(report.errors[0] ?? '') ?? '', /`su: "USER GROUP"`/);
});

void test('nothing said is nothing done', () => {
  assert.deepEqual(parseLogrotateOutput(''), { rotated: [], skipped: [], errors: [] });
  assert.equal(logrotateHint('something new'), undefined);
});
