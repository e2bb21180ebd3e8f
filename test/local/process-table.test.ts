import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { endLeftover } from '../../lib/local/process-group.ts';
import { isAlive, linuxProcesses, systemProcesses, type ProcessTable } from '../../lib/local/process-table.ts';
import { temporaryDirectory } from './fixtures.ts';

interface FakeProcess {
  readonly pid: number;
  readonly group: number;
  readonly startedAt: number;
  readonly state?: string;
  readonly environ?: readonly string[];
}

function fakeProc(path: string, processes: readonly FakeProcess[]): ProcessTable {
  mkdirSync(join(path, 'sys/kernel/random'), { recursive: true });
  writeFileSync(join(path, 'sys/kernel/random/boot_id'), 'boot-1\n');
  for (const { pid, group, startedAt, state = 'S', environ = [] } of processes) {
    mkdirSync(join(path, String(pid)));
    const between = Array.from({ length: 16 }, () => '0').join(' ');
    writeFileSync(
      join(path, String(pid), 'stat'),
      `${pid} (a) b (c) ${state} 1 ${group} ${between} ${startedAt} 0 0\n`,
    );
    writeFileSync(join(path, String(pid), 'environ'), environ.map((entry) => `${entry}\0`).join(''));
  }
  return linuxProcesses(path);
}

const MARK = 'WORKFLOW_OUTPUTS=/runs/a/extract-1.outputs';

test('a process is known by its start and the boot, not by its number alone', () => {
  using directory = temporaryDirectory();
  const table = fakeProc(directory.path, [{ pid: 100, group: 100, startedAt: 7 }]);
  const identity = table.identify(100)!;
  expect(identity).toEqual({ pid: 100, startedAt: '7', boot: 'boot-1' });
  expect(isAlive(table, identity)).toBe(true);
  expect(isAlive(table, { ...identity, startedAt: '6' })).toBe(false);
  expect(isAlive(table, { ...identity, boot: 'boot-0' })).toBe(false);
  expect(table.identify(101)).toBeUndefined();
});

test('a process that has ended and was not collected counts as gone', () => {
  using directory = temporaryDirectory();
  const table = fakeProc(directory.path, [{ pid: 100, group: 100, startedAt: 7, state: 'Z' }]);
  expect(table.identify(100)).toBeUndefined();
});

test('a living leader vouches for all of its group', () => {
  using directory = temporaryDirectory();
  const table = fakeProc(directory.path, [
    { pid: 100, group: 100, startedAt: 7 },
    { pid: 101, group: 100, startedAt: 8 },
    { pid: 102, group: 102, startedAt: 9, environ: [MARK] },
  ]);
  expect(table.group(table.identify(100)!, MARK)).toEqual([100, 101]);
});

test('when the number of the leader was given to somebody else, only processes with our mark are ours', () => {
  using directory = temporaryDirectory();
  const table = fakeProc(directory.path, [
    { pid: 100, group: 100, startedAt: 50 },
    { pid: 101, group: 100, startedAt: 51 },
    { pid: 90, group: 100, startedAt: 8, environ: ['PATH=/bin', MARK] },
    { pid: 91, group: 100, startedAt: 8, environ: [`${MARK}.old`] },
  ]);
  expect(table.group({ pid: 100, startedAt: '7', boot: 'boot-1' }, MARK)).toEqual([90]);
});

test('what an interrupted run left behind is ended, also when it does not listen', async () => {
  const table = systemProcesses();
  const child = spawn('sh', ['-c', 'trap "" TERM; sleep 60 & wait; sleep 60'], { detached: true, stdio: 'ignore' });
  const leader = table.identify(child.pid!)!;
  await delay(150);
  expect(table.group(leader, MARK).length).toBeGreaterThan(0);
  expect(await endLeftover(table, leader, MARK, 200)).toBe(true);
  await delay(50);
  expect(table.group(leader, MARK)).toEqual([]);
  expect(await endLeftover(table, leader, MARK, 200)).toBe(false);
});

test('a process with the number of ours and another start is left alone', async () => {
  const table = systemProcesses();
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const foreign = { ...table.identify(child.pid!)!, startedAt: '1' };
  expect(await endLeftover(table, foreign, MARK, 200)).toBe(false);
  expect(table.identify(child.pid!)).toBeDefined();
  child.kill('SIGKILL');
});
