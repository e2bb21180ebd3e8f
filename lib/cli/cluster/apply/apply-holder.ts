import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { ApplyHolder } from '../../../fleet/apply/apply-lease.ts';
import { isAlive, systemProcesses, type ProcessIdentity } from '../../../local/process-table.ts';

/** A process, and the machine that its number counts on. */
interface Process extends ProcessIdentity {
  readonly host: string;
  /** Of its numbers: containers of one machine have numbers of their own. */
  readonly space: string;
}

/** This process as the holder of a lease. */
export function applyHolder(): ApplyHolder {
  const table = systemProcesses();
  const self = table.identify(process.pid);
  const host = hostname();
  const space = pidSpace();
  const identity = `${userName()}@${host}-${process.pid}-${randomBytes(2).toString('hex')}`;
  if (self === undefined) return { identity };
  return {
    identity,
    process: JSON.stringify({ ...self, host, space } satisfies Process),
    hasEnded: (text) => {
      const other = parse(text);
      return other?.host === host && other.space === space && other.boot === self.boot && !isAlive(table, other);
    },
  };
}

function parse(text: string): Process | undefined {
  try {
    return JSON.parse(text) as Process;
  } catch {
    return undefined;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'somebody'; // a container's user may have no name
  }
}

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
