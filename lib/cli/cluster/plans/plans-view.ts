import { formatAge, formatDuration } from '../../terminal/duration.ts';
import type { Colors } from '../../terminal/output.ts';
import type { Column } from '../../terminal/table.ts';
import type { PlanSummary } from './plan-summary.ts';
import { optionalDuration, paintRunPhase } from '../runs/runs-view.ts';
import { durationOf } from '../../../runs/run-summary.ts';

/** Whether plans of several places are shown. */
interface Where {
  readonly allClusters?: boolean;
  readonly allNamespaces?: boolean;
  /** Whether one of the plans is held, which its version tells. */
  readonly held?: boolean;
}

/** The columns of `plans`. */
export function planColumns(now: number, colors: Colors, options: Where = {}): Column<PlanSummary>[] {
  return [
    ...whereColumns(options),
    { header: 'NAME', value: ({ name }) => name },
    { header: 'GROUP', value: ({ group }) => group ?? '-' },
    { header: 'SCHEDULE', value: ({ schedule }) => schedule ?? '-' },
    { header: 'ZONE', value: ({ timeZone }) => timeZone ?? '-' },
    {
      header: 'ACTIVE',
      value: activity,
      style: (text, { active, schedule, pausedUntil }) =>
        active && pausedUntil === undefined ? colors.green(text) : schedule === undefined ? text : colors.yellow(text),
    },
    {
      header: 'LAST RUN',
      value: ({ lastRun: last }) => (last === undefined ? '-' : `${last.phase}, ${formatAge(last.createdAt, now)} ago`),
      style: paintLast(colors),
    },
    {
      header: 'NEXT',
      value: ({ nextAt }) => (nextAt === undefined ? '-' : `in ${formatDuration(Date.parse(nextAt) - now)}`),
    },
    { header: 'WORKFLOW', value: ({ workflow, task }) => workflow ?? `${task ?? '-'} (task)`, wide: true },
    versionColumn(colors, options),
  ];
}

/** The columns of `status`: how the last run of each plan went. */
export function statusColumns(now: number, colors: Colors, options: Where = {}): Column<PlanSummary>[] {
  return [
    ...whereColumns(options),
    { header: 'PLAN', value: ({ name }) => name },
    { header: 'ACTIVE', value: activity },
    ...(options.held ? [versionColumn(colors, options)] : []),
    { header: 'PHASE', value: ({ lastRun }) => lastRun?.phase ?? 'never ran', style: paintLast(colors) },
    {
      header: 'STEPS',
      value: ({ lastRun: last }) =>
        last?.progress === undefined ? '-' : `${last.progress.succeeded}/${last.progress.total}`,
    },
    { header: 'AGE', value: ({ lastRun: last }) => (last === undefined ? '-' : formatAge(last.createdAt, now)) },
    { header: 'DURATION', value: ({ lastRun: last }) => optionalDuration(last && durationOf(last, now)) },
    { header: 'RUN', value: ({ lastRun: last }) => last?.name ?? '-' },
    { header: 'MESSAGE', value: ({ lastRun: last }) => last?.message ?? '', wide: true },
  ];
}

function versionColumn(colors: Colors, { held = false }: Where): Column<PlanSummary> {
  return {
    header: 'VERSION',
    value: versionText,
    style: (text, { heldFrom }) => (heldFrom === undefined ? text : colors.yellow(text)),
    wide: !held,
  };
}

/** The version of a plan, and the one that it is held from. */
export function versionText({ version, heldFrom }: PlanSummary): string {
  return `${version ?? '-'}${heldFrom === undefined ? '' : `, held from ${heldFrom}`}`;
}

/** Whether a plan starts runs by itself, and why it does not. */
export function activity({ active, schedule, byHand, backupOf, pausedUntil }: PlanSummary): string {
  if (schedule === undefined) return 'by hand only';
  if (active && pausedUntil !== undefined) return `paused until ${pausedUntil}${byHand ? ', by hand' : ''}`;
  if (!active && backupOf !== undefined && !byHand) return `no, backup of ${backupOf}`;
  return `${active ? 'yes' : 'no'}${byHand ? ', by hand' : ''}`;
}

function whereColumns({ allClusters, allNamespaces }: Where): Column<PlanSummary>[] {
  return [
    ...(allClusters ? [{ header: 'CLUSTER', value: ({ cluster = '-' }: PlanSummary) => cluster }] : []),
    ...(allNamespaces ? [{ header: 'NAMESPACE', value: ({ namespace }: PlanSummary) => namespace }] : []),
  ];
}

function paintLast(colors: Colors): NonNullable<Column<PlanSummary>['style']> {
  return (text, { lastRun }) => (lastRun === undefined ? text : paintRunPhase(lastRun.phase, colors)(text));
}
