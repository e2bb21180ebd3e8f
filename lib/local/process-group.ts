import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity, ProcessTable } from './process-table.ts';

/** Sends a signal to a group that this process started and that is not over yet. A group that is gone is as good. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // macOS says EPERM of a group whose members have all ended.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Ends what is left of a group that an earlier process started: asks first, and kills what still lives after the grace time. */
export async function endLeftover(
  table: ProcessTable,
  leader: ProcessIdentity,
  mark: string,
  graceMs: number,
): Promise<boolean> {
  let members = table.group(leader, mark);
  const found = members.length > 0;
  for (const pid of members) signal(pid, 'SIGTERM');
  const until = performance.now() + graceMs;
  while (members.length > 0 && performance.now() < until) {
    await delay(20);
    members = table.group(leader, mark);
  }
  for (const pid of members) signal(pid, 'SIGKILL');
  return found;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself, or belongs to another user and then is none of ours.
  }
}
