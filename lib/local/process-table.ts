import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** One process, told apart from any other that had or will have its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, as the system counts it. */
  readonly startedAt: string;
  /** Of which start of the machine {@link startedAt} speaks. */
  readonly boot: string;
}

/** What must be known of other processes, so that none is ended that is not ours. */
export interface ProcessTable {
  /** The living process of a number. */
  identify(pid: number): ProcessIdentity | undefined;
  /**
   * The living processes of the group that `leader` led. When the leader itself is gone its number may lead somebody
   * else's group; then only processes that carry the environment variable `mark` (`NAME=value`) count.
   */
  group(leader: ProcessIdentity, mark: string): readonly number[];
}

/** Whether the very process still lives. */
export function isAlive(table: ProcessTable, identity: ProcessIdentity): boolean {
  const now = table.identify(identity.pid);
  return now !== undefined && now.startedAt === identity.startedAt && now.boot === identity.boot;
}

/** The processes of this machine. */
export function systemProcesses(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? linuxProcesses('/proc') : psProcesses;
}

/** By `/proc`, which a test may put elsewhere. */
export function linuxProcesses(proc: string): ProcessTable {
  const boot = readText(`${proc}/sys/kernel/random/boot_id`)?.trim() ?? '';
  const table: ProcessTable = {
    identify(pid) {
      const stat = readStat(proc, pid);
      return stat === undefined ? undefined : { pid, startedAt: stat.startedAt, boot };
    },
    group(leader, mark) {
      const led = isAlive(table, leader);
      return readdirSync(proc)
        .filter((entry) => /^\d+$/.test(entry))
        .map(Number)
        .filter((pid) => readStat(proc, pid)?.group === leader.pid)
        .filter((pid) => led || readText(`${proc}/${pid}/environ`)?.split('\0').includes(mark) === true);
    },
  };
  return table;
}

/** Nothing when it does not exist, or has ended and only waits for its parent to notice. (man 5 proc) */
function readStat(proc: string, pid: number): { group: number; startedAt: string } | undefined {
  const text = readText(`${proc}/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { group: Number(fields[2]), startedAt: fields[19] ?? '' };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** By the `ps` of macOS and the BSDs, which does not show environments: a group without its leader is left alone. */
const psProcesses: ProcessTable = {
  identify(pid) {
    const [state, ...started] = ps(['-o', 'stat=,lstart=', '-p', String(pid)])
      .trim()
      .split(/\s+/);
    if (!state || state.startsWith('Z')) return undefined;
    return { pid, startedAt: started.join(' '), boot: '' };
  },
  group(leader) {
    if (!isAlive(psProcesses, leader)) return [];
    const rows = ps(['-A', '-o', 'pid=,pgid=']).trim().split('\n');
    return rows
      .map((row) => row.trim().split(/\s+/).map(Number))
      .flatMap(([pid, group]) => (group === leader.pid ? [pid!] : []));
  },
};

function ps(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
