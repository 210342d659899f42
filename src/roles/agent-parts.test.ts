import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentFileStatus } from '../agent/agent-types.ts';
import { AppError } from '../base/errors.ts';
import { refreshLedger } from './agent-parts.ts';

function file(path: string, changes: Partial<AgentFileStatus> = {}): AgentFileStatus {
  const names = { namespace: undefined, pod: undefined, container: undefined };
  const figures = { size: 4, readOffset: 0, acknowledgedOffset: 0 };
  return { id: undefined, path, source: 'files', state: 'waiting', ...names, ...figures, ...changes };
}

const busy = (): Promise<void> => Promise.reject(new AppError('too_busy', 'cannot account for every file'));

void test('a ledger that lacks a file names the one that waits for the end of its first line', async () => {
  const files = [file('/known.log', { id: 'a' }), file('/empty.log', { size: 0 }), file('/half.log')];
  const expected = { message: 'cannot account for /half.log yet: it waits for the end of its first line' };
  await assert.rejects(refreshLedger({ files: () => files, writeLedger: busy }), expected);
  const two = [...files, file('/other.log')];
  await assert.rejects(refreshLedger({ files: () => two, writeLedger: busy }), /, and so do 1 more$/);
});

void test('a ledger that fails for another reason says so', async () => {
  const other = { message: 'cannot account for every file' };
  await assert.rejects(refreshLedger({ files: () => [file('/old.log.gz')], writeLedger: busy }), other);
  const closed = () => Promise.reject(new AppError('closed', 'cannot send records'));
  await assert.rejects(refreshLedger({ files: () => [file('/x')], writeLedger: closed }), /send records/);
  await refreshLedger({ files: () => [file('/x')], writeLedger: () => Promise.resolve() });
});
