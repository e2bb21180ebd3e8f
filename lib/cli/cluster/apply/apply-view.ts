import {
  applyOutcomes,
  isApplied,
  type AppliedObject,
  type ApplyFailure,
  type ApplyOutcome,
  type ApplyResult,
} from '../../../fleet/apply/apply-result.ts';
import type { Orphan } from '../../../fleet/prune/orphans.ts';
import type { Colors } from '../../terminal/output.ts';
import type { PhaseStyle } from '../../terminal/phases.ts';
import { formatTable, type Column } from '../../terminal/table.ts';

/** A target after its apply, for people and for `-o json`. */
export interface AppliedTarget extends ApplyResult {
  readonly cluster?: string;
  /** Empty when there is no such context. */
  readonly context: string;
  readonly directory: string;
  /** What is of this project there, but in no inventory and not in the directory; it is never deleted. */
  readonly orphans?: readonly Orphan[];
}

/** The objects that changed or could not be, one table over all clusters; then the failures, and a line for each cluster. */
export function applyReport(
  targets: readonly AppliedTarget[],
  colors: Colors,
  phases: PhaseStyle,
  dryRun: boolean,
): string {
  const rows = targets.flatMap((target) => target.objects.map((object) => ({ ...object, title: titleOf(target) })));
  const shown = rows.filter(({ outcome }) => outcome !== 'unchanged');
  const styles: Readonly<Record<ApplyOutcome, (text: string) => string>> = {
    created: colors.green,
    configured: colors.yellow,
    unchanged: colors.dim,
    pruned: colors.red,
    kept: colors.dim,
    failed: colors.red,
    skipped: colors.dim,
  };
  const columns: Column<(typeof rows)[number]>[] = [
    { header: 'CLUSTER', value: ({ title }) => title },
    { header: 'KIND', value: ({ kind }) => kind },
    { header: 'NAMESPACE', value: ({ namespace }) => namespace ?? '-' },
    { header: 'NAME', value: ({ name }) => name },
    { header: 'RESULT', value: ({ outcome }) => outcome, style: (text, { outcome }) => styles[outcome](text) },
  ];
  const parts: string[] = [];
  if (shown.length > 0) parts.push(formatTable(columns, shown));
  const failures = targets.flatMap((target) => failuresOf(target, colors));
  const kept = targets.flatMap((target) => keptOf(target, colors));
  const told = [...failures, ...kept];
  if (told.length > 0) parts.push(told.map((line) => `${line}\n`).join(''));
  parts.push(targets.map((target) => `${summaryOf(target, phases, dryRun)}\n`).join(''));
  return parts.join('\n');
}

function titleOf({ cluster, context, directory }: AppliedTarget): string {
  return cluster ?? (context || directory);
}

function failuresOf(target: AppliedTarget, colors: Colors): string[] {
  const title = titleOf(target);
  const own = target.failure === undefined ? [] : [`${title}: ${inWords(target.failure)}`];
  return [...own, ...byReason(target, wrong)].map((line) => `${colors.red('error:')} ${line}`);
}

/** Why objects that left the directory are still there. */
function keptOf(target: AppliedTarget, colors: Colors): string[] {
  return byReason(target, ({ reason }) => reason).map((line) => `${colors.yellow('note:')} ${line}`);
}

/** A line for each reason: when the cluster went away every further object failed for the same one. */
function byReason(target: AppliedTarget, reasonOf: (object: AppliedObject) => ApplyFailure | undefined): string[] {
  const told = target.objects.filter((object) => reasonOf(object) !== undefined);
  return [...Map.groupBy(told, (object) => inWords(reasonOf(object)!))].map(([reason, [first, ...others]]) => {
    const more = others.length > 0 ? ` and ${others.length} more` : '';
    return `${titleOf(target)}: ${nameOf(first!)}${more}: ${reason}`;
  });
}

function inWords({ message, fix }: ApplyFailure): string {
  return fix === undefined ? message : `${message}; ${fix}`;
}

function wrong({ failure, notReady }: AppliedObject): ApplyFailure | undefined {
  return failure ?? notReady;
}

function nameOf({ kind, namespace, name, source }: AppliedObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${source === undefined ? '' : ` (${source})`}`;
}

function summaryOf(target: AppliedTarget, phases: PhaseStyle, dryRun: boolean): string {
  const phase = isApplied(target) ? 'Succeeded' : 'Failed';
  const mark = phases.paint(phase, phases.glyph(phase));
  if (target.failure !== undefined) return `${mark} ${titleOf(target)}: nothing was applied`;
  const counts = applyOutcomes
    .map((outcome) => [target.objects.filter((object) => object.outcome === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`);
  const late = target.objects.filter(({ notReady }) => notReady !== undefined).length;
  const what = `${counts.length > 0 ? counts.join(', ') : 'nothing to apply'}${late > 0 ? `; ${late} not ready` : ''}`;
  const skipped = target.objects.some(({ outcome }) => outcome === 'skipped')
    ? '; what was skipped is in order and is written once the errors are mended'
    : '';
  return `${mark} ${titleOf(target)}: ${what}${dryRun ? ' (dry run, nothing was written)' : ''}${skipped}`;
}
