import { annotations, NEVER } from '../../graph/labels.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { neverComes, parseCron } from '../../values/cron.ts';
import { nextTimes } from '../../values/cron-times.ts';
import { InvalidError } from '../../values/problems.ts';
import { TimeZone, timeZoneProblem } from '../../values/time-zone.ts';
import type { ScheduleOptions } from '../commands/schedule.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import { formatDuration } from '../terminal/duration.ts';
import { formatTable, type Column } from '../terminal/table.ts';

/** What is shown the times of. */
interface Timetable {
  /** Left out for an expression. */
  readonly plan?: string;
  readonly schedule: string;
  readonly timeZone?: string;
  readonly suspended: boolean;
  /** The interval in seconds, of one that fires more often than once a minute. */
  readonly every?: number;
  /** From when on, and up to when, it fires; in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** When it fired last, or began to: what `@every` counts from. */
  readonly since?: number;
}

/** `schedule`: shows the next times of a plan or of an expression. */
export async function schedule(
  context: CliContext,
  { subject, app }: { readonly subject: string; readonly app?: string },
  options: ScheduleOptions,
): Promise<void> {
  const { out, err } = context;
  const { plan, suspended, ...table } = await timetableOf(context, subject, app, options);
  const timeZone = options.timeZone ?? table.timeZone;
  const warn = (text: string) => err.line(`${err.colors.yellow('warning:')} ${text}`);
  const zone = new TimeZone(
    checkedZone(timeZone ?? 'UTC', options.timeZone === undefined ? 'timeZone' : '--time-zone'),
  );
  const read = parseCron(table.schedule);
  if ('problem' in read)
    throw new InvalidError(`The schedule ${table.schedule}`, [{ path: '', message: read.problem }]);
  const after = options.after ?? Date.now();
  const begin = Math.max(after, table.from - 1);
  const since = 'delaySeconds' in read ? lastBefore(table.since ?? after, begin, read.delaySeconds * 1000) : begin;
  const all = table.every === undefined ? nextTimes(read, since, zone) : ticks(begin, table.every * 1000);
  const times = [...all.take(options.next)].filter((time) => time < table.to);
  if (suspended) warn(`plan ${plan} is suspended: it starts no runs until it is activated`);
  if (timeZone === undefined) warn('no time zone is set: these are times in UTC, which most clusters use then');
  if (times.length === 0)
    warn(
      neverComes(read)
        ? 'it names no day that there is: it never fires'
        : table.to <= begin
          ? 'the time in which it fires is over'
          : 'no time comes within five years',
    );
  const rows = times.map((time) => ({
    time,
    local: zone.format(time),
    utc: `${new Date(time).toISOString().slice(0, 19)}Z`,
  }));
  const next = rows.map(({ local, utc }) => ({ local, utc }));
  const told = {
    plan,
    schedule: table.schedule,
    timeZone,
    suspended: plan === undefined ? undefined : suspended,
    next,
  };
  if (options.output === 'json') return out.json(told);
  if (options.output === 'yaml') return out.yaml(JSON.parse(JSON.stringify(told)));
  out.line(
    `${plan === undefined ? '' : `${plan}: `}${table.every === undefined ? table.schedule : `every ${table.every} s`}${timeZone === undefined ? '' : ` in ${timeZone}`}`,
  );
  if (rows.length > 0) out.write(formatTable(columns(zone, after), rows));
}

async function timetableOf(
  context: CliContext,
  subject: string,
  app: string | undefined,
  options: ScheduleOptions,
): Promise<Timetable> {
  // Names of plans have neither.
  if (/\s|^@/.test(subject)) return { schedule: subject, suspended: false, from: -Infinity, to: Infinity };
  const cronJob = await findCronJob(context, subject, app, options);
  const { metadata, spec, status } = cronJob;
  if (spec.schedule === NEVER)
    throw new FailedError(`The plan ${metadata.name} has no schedule: it is launched by hand`);
  const since = status?.lastScheduleTime ?? metadata.creationTimestamp;
  return {
    plan: metadata.name,
    schedule: spec.schedule,
    timeZone: spec.timeZone,
    suspended: spec.suspend === true,
    ...dates(spec.jobTemplate.metadata?.annotations),
    ...(since !== undefined && { since: Date.parse(since) }),
  };
}

async function findCronJob(
  context: CliContext,
  name: string,
  app: string | undefined,
  options: ScheduleOptions,
): Promise<PlanCronJob> {
  if (app !== undefined) {
    const { synthesizedPlan } = await import('../app/planned-schedule.ts');
    return (await synthesizedPlan(name, app, context)) as unknown as PlanCronJob;
  }
  const { findPlan, withCluster } = await import('../cluster/cluster-session.ts');
  return withCluster(options, (client) => findPlan(client, name));
}

function checkedZone(zone: string, path: string): string {
  const message = timeZoneProblem(zone);
  if (message === undefined) return zone;
  throw new InvalidError('The time zone', [{ path, message: `${JSON.stringify(zone)} ${message}` }]);
}

/** What the runs carry of when their plan fires. */
function dates(notes: Readonly<Record<string, string>> = {}): Pick<Timetable, 'every' | 'from' | 'to'> {
  const { from, to } = JSON.parse(notes[annotations.between] ?? '{}') as { from?: string; to?: string };
  const time = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Date.parse(text));
  const every = notes[annotations.every];
  return {
    ...(every !== undefined && { every: Number(every) }),
    from: Math.max(time(from, -Infinity), time(notes[annotations.pausedUntil], -Infinity)),
    to: time(to, Infinity),
  };
}

function* ticks(after: number, interval: number): Generator<number> {
  for (let tick = (Math.floor(after / interval) + 1) * interval; ; tick += interval) yield tick;
}

/** The last time before `after` among those that lie so far apart; `since` is one of them. */
function lastBefore(since: number, after: number, delay: number): number {
  return since > after ? since - delay : since + Math.floor((after - since) / delay) * delay;
}

interface Row {
  readonly time: number;
  readonly local: string;
  readonly utc: string;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function columns(zone: TimeZone, after: number): Column<Row>[] {
  return [
    { header: 'DAY', value: ({ time }) => WEEKDAYS[zone.wallAt(time).getUTCDay()]! },
    { header: 'LOCAL', value: ({ local }) => `${local.slice(0, 10)} ${local.slice(11, 19)} ${local.slice(19)}` },
    { header: 'UTC', value: ({ utc }) => utc },
    { header: 'IN', value: ({ time }) => formatDuration(time - after) },
  ];
}
