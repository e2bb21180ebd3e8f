import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcessIdentity, ProcessTable } from '../../lib/local/process-table.ts';
import { lockRun } from '../../lib/local/run-lock.ts';
import { temporaryDirectory } from './fixtures.ts';

function tableOf(...living: ProcessIdentity[]): ProcessTable {
  return { identify: (pid) => living.find((each) => each.pid === pid), group: () => [] };
}

const self: ProcessIdentity = { pid: process.pid, startedAt: '5', boot: 'b' };
const other: ProcessIdentity = { pid: 4242, startedAt: '9', boot: 'b' };

test('a run that a living process has cannot be taken', () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'lock.3'), JSON.stringify(other));
  expect(() => lockRun(directory.path, tableOf(self, other))).toThrow('process 4242 is running it');
  expect(readdirSync(directory.path)).toEqual(['lock.3']);
});

test.each([
  ['is gone', tableOf(self), JSON.stringify(other)],
  ['had its number before another', tableOf(self, { ...other, startedAt: '10' }), JSON.stringify(other)],
  ['wrote nonsense', tableOf(self), '{'],
])('a lock whose process %s is passed over', (_, table, text) => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'lock.3'), text);
  {
    using _lock = lockRun(directory.path, table);
    expect(readdirSync(directory.path)).toEqual(['lock.4']);
  }
  expect(readdirSync(directory.path)).toEqual([]);
});

test('the one who holds a run keeps it until it lets go', () => {
  using directory = temporaryDirectory();
  const table = tableOf(self);
  const lock = lockRun(directory.path, table);
  expect(() => lockRun(directory.path, table)).toThrow(`process ${process.pid} is running it`);
  lock[Symbol.dispose]();
  lockRun(directory.path, table)[Symbol.dispose]();
});
