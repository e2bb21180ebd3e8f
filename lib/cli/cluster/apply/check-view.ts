import {
  checkNames,
  type CheckName,
  type CheckResult,
  type CheckState,
} from '../../../fleet/preflight/check-result.ts';
import { exitCodes } from '../../errors.ts';
import type { Colors } from '../../terminal/output.ts';
import type { PhaseStyle } from '../../terminal/phases.ts';
import { formatTable, textWidth, type Column } from '../../terminal/table.ts';

/** A target after its checks, for people and for `-o json`. */
export interface CheckedTarget {
  /** The cluster's name in the fleet; without a fleet the directory. */
  readonly cluster: string;
  /** Empty when there is no such context. */
  readonly context: string;
  /** For objects that name none. */
  readonly namespace?: string;
  readonly checks: readonly CheckResult[];
}

/** What the report is made for. */
export interface CheckScreen {
  readonly colors: Colors;
  readonly phases: PhaseStyle;
  /** Characters in a line. */
  readonly columns: number;
}

/** 0 when nothing failed; with `strict` also nothing may be amiss. */
export function exitCodeOf(targets: readonly CheckedTarget[], strict: boolean): number {
  const states = targets.flatMap(({ checks }) => checks.map(({ state }) => state));
  return states.includes('failed') || (strict && states.includes('warning')) ? exitCodes.failed : exitCodes.ok;
}

/** One table for all clusters; then a sentence for everything that is not ok, and a line for each cluster. */
export function checkReport(targets: readonly CheckedTarget[], screen: CheckScreen): string {
  const wide = matrix(targets, screen);
  const fits = wide.split('\n').every((line) => textWidth(line) <= screen.columns);
  const parts = [fits || targets.length === 1 ? wide : list(targets, screen)];
  const told = targets.flatMap((target) => sentences(target, screen));
  if (told.length > 0) parts.push(told.map((line) => `${line}\n`).join(''));
  parts.push(targets.map((target) => `${summary(target, screen)}\n`).join(''));
  return parts.join('\n');
}

/** A row for each check, a column for each cluster. */
function matrix(targets: readonly CheckedTarget[], screen: CheckScreen): string {
  const columns: Column<CheckName>[] = [
    { header: 'CHECK', value: (name) => name },
    ...targets.map((target): Column<CheckName> => {
      const of = (name: CheckName): CheckResult => target.checks.find(({ check }) => check === name)!;
      return {
        header: target.cluster,
        value: (name) => cell(of(name), screen),
        style: (text, name) => paint(of(name).state, screen.colors)(text),
      };
    }),
  ];
  return formatTable(columns, checkNames);
}

/** A row for each check of each cluster, where the matrix would be too wide. */
function list(targets: readonly CheckedTarget[], screen: CheckScreen): string {
  const rows = targets.flatMap(({ cluster, checks }) => checks.map((result) => ({ cluster, result })));
  return formatTable<(typeof rows)[number]>(
    [
      { header: 'CLUSTER', value: ({ cluster }) => cluster },
      { header: 'CHECK', value: ({ result }) => result.check },
      {
        header: 'RESULT',
        value: ({ result }) => cell(result, screen),
        style: (text, { result }) => paint(result.state, screen.colors)(text),
      },
    ],
    rows,
  );
}

function cell({ state, detail }: CheckResult, { phases }: CheckScreen): string {
  const glyph = { ok: phases.glyph('Succeeded'), warning: '!', failed: phases.glyph('Failed'), skipped: '-' }[state];
  return `${glyph} ${state === 'ok' || state === 'skipped' ? (detail ?? state) : state}`;
}

function paint(state: CheckState, colors: Colors): (text: string) => string {
  return { ok: colors.green, warning: colors.yellow, failed: colors.red, skipped: colors.dim }[state];
}

function sentences({ cluster, checks }: CheckedTarget, { colors }: CheckScreen): string[] {
  return checks.flatMap(({ check, findings }) =>
    findings.map(({ state, message, fix }) => {
      const label = state === 'failed' ? colors.red('error:') : colors.yellow('warning:');
      return `${label} ${cluster}, ${check}: ${message}${fix === undefined ? '' : `; ${fix}`}`;
    }),
  );
}

function summary({ cluster, checks }: CheckedTarget, { phases, colors }: CheckScreen): string {
  const count = (state: CheckState): number => checks.filter((result) => result.state === state).length;
  const [failures, warnings] = [count('failed'), count('warning')];
  const parts = [
    ...(failures > 0 ? [`${failures} of ${checks.length} checks failed`] : []),
    ...(warnings > 0 ? [`${warnings} with warnings`] : []),
  ];
  const phase = failures > 0 ? 'Failed' : 'Succeeded';
  const mark = failures === 0 && warnings > 0 ? colors.yellow('!') : phases.paint(phase, phases.glyph(phase));
  return `${mark} ${cluster}: ${parts.length === 0 ? 'all is well' : parts.join(', ')}`;
}
