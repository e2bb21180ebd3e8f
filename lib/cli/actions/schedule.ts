import { NEVER } from '../../graph/labels.ts';
import { timesAfter, timetableOf, timetableText, type Timetable } from '../../graph/timetable.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { neverComes, parseCron } from '../../values/cron.ts';
import { InvalidError } from '../../values/problems.ts';
import { TimeZone, timeZoneProblem } from '../../values/time-zone.ts';
import type { ScheduleOptions } from '../commands/schedule.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import { formatDuration } from '../terminal/duration.ts';
import { formatTable, type Column } from '../terminal/table.ts';

/** What is shown the times of. */
interface Subject {
  /** Left out for an expression. */
  readonly plan?: string;
  readonly timetable: Timetable;
  readonly suspended: boolean;
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
  const { plan, suspended, since, timetable } = await subjectOf(context, subject, app, options);
  const timeZone = options.timeZone ?? timetable.timeZone;
  const warn = (text: string) => err.line(`${err.colors.yellow('warning:')} ${text}`);
  const zone = new TimeZone(
    checkedZone(timeZone ?? 'UTC', options.timeZone === undefined ? 'timeZone' : '--time-zone'),
  );
  const title = timetableText(timetable);
  const reads = timetable.expressions.map(parseCron);
  const wrong = reads.flatMap((read) => ('problem' in read ? [{ path: '', message: read.problem }] : []));
  if (wrong.length > 0) throw new InvalidError(`The schedule ${title}`, wrong);
  const after = options.after ?? Date.now();
  const times = [...timesAfter({ ...timetable, timeZone: zone.name }, after, since).take(options.next)];
  if (suspended) warn(`plan ${plan} is suspended: it starts no runs until it is activated`);
  if (timeZone === undefined) warn('no time zone is set: these are times in UTC, which most clusters use then');
  if (times.length === 0)
    warn(
      reads.every((read) => 'problem' in read || neverComes(read))
        ? 'it names no day that there is: it never fires'
        : timetable.to <= Math.max(after, timetable.from - 1)
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
    schedule: title,
    timeZone,
    suspended: plan === undefined ? undefined : suspended,
    next,
  };
  if (options.output === 'json') return out.json(told);
  if (options.output === 'yaml') return out.yaml(JSON.parse(JSON.stringify(told)));
  out.line(`${plan === undefined ? '' : `${plan}: `}${title}${timeZone === undefined ? '' : ` in ${timeZone}`}`);
  if (rows.length > 0) out.write(formatTable(columns(zone, after), rows));
}

async function subjectOf(
  context: CliContext,
  subject: string,
  app: string | undefined,
  options: ScheduleOptions,
): Promise<Subject> {
  // Names of plans have neither.
  if (/\s|^@/.test(subject))
    return { timetable: { expressions: [subject], from: -Infinity, to: Infinity }, suspended: false };
  const cronJob = await findCronJob(context, subject, app, options);
  const { metadata, spec, status } = cronJob;
  if (spec.schedule === NEVER)
    throw new FailedError(`The plan ${metadata.name} has no schedule: it is launched by hand`);
  const since = status?.lastScheduleTime ?? metadata.creationTimestamp;
  return {
    plan: metadata.name,
    timetable: timetableOf(spec),
    suspended: spec.suspend === true,
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
