import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { begunAt } from '../../engine/phases.ts';
import type { RunRecord, RunState, StepPhase, StepRecord } from '../../engine/record.ts';
import type { LocalRun, RunDirectory } from '../../local/run-directory.ts';
import { encodeValue } from '../../values/environment.ts';
import type { CliContext } from '../context.ts';
import { formatElapsed } from '../terminal/duration.ts';
import { attemptsText } from '../terminal/attempts.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { printable } from './progress.ts';
import { displayPath } from '../app/synthesize.ts';
import { formatTable, textWidth, truncate, type Column } from '../terminal/table.ts';

/** A run that ended. */
export interface RunResult {
  readonly run: LocalRun;
  readonly record: RunRecord;
  readonly directory: RunDirectory;
}

interface Row {
  readonly name: string;
  readonly record: StepRecord;
}

const LOG_LINES = 10;

/** The result for people: a table of the steps, the end of the logs of those that failed, the outputs. */
export function printResult(context: CliContext, result: RunResult): void {
  const { out } = context;
  const { state, rows } = { state: result.record.run, rows: rowsOf(result) };
  out.write(formatTable(columnsFor(context, rows), rows));
  for (const { name, record } of rows) if (record.phase === 'Failed') printFailure(context, result, name, record);
  const outputs = Object.entries(state.outputs ?? {});
  if (outputs.length > 0) {
    out.line();
    out.write(
      formatTable(
        [
          { header: 'OUTPUT', value: ([name]) => name },
          { header: 'VALUE', value: ([, value]) => encodeValue(value) },
        ],
        outputs,
      ),
    );
  }
  out.line();
  out.line(closingLine(context, result, state));
}

function closingLine({ out, env, cwd }: CliContext, { run, directory }: RunResult, state: RunState): string {
  const style = phaseStyle(out.colors, env);
  const phase: StepPhase = state.phase;
  const time = formatElapsed((state.finishedAt ?? state.startedAt) - state.startedAt);
  const why = state.phase === 'Succeeded' ? '' : `: ${state.message ?? state.reason}`;
  const what = `${style.paint(phase, style.glyph(phase))} ${out.colors.bold(run.name)} ${state.phase.toLowerCase()} in ${time}`;
  return `${what}${why}\n${out.colors.dim(`  logs and record: ${displayPath(cwd, directory.path)}`)}`;
}

function rowsOf({ run, record }: RunResult): Row[] {
  const untouched: StepRecord = { phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [] };
  return run.graph.steps.map(({ name }) => ({ name, record: record.steps.get(name) ?? untouched }));
}

function columnsFor({ out, env }: CliContext, rows: readonly Row[]): Column<Row>[] {
  const style = phaseStyle(out.colors, env);
  const why = ({ record }: Row) =>
    record.phase === 'Succeeded'
      ? (record.message ?? '')
      : record.message === undefined
        ? record.reason
        : `${record.reason}: ${record.message.replaceAll(/\s+/g, ' ')}`;
  const columns: Column<Row>[] = [
    { header: 'STEP', value: ({ name }) => name },
    {
      header: 'PHASE',
      value: ({ record }) => `${style.glyph(record.phase)} ${record.phase}`,
      style: (text, { record }) => style.paint(record.phase, text),
    },
    {
      header: 'ATTEMPTS',
      value: ({ record }) => attemptsText(record),
    },
    { header: 'DURATION', value: ({ record }) => durationOf(record) ?? '-' },
  ];
  if (rows.every((row) => why(row) === '')) return columns;
  const used = textWidth(
    formatTable([...columns, { header: '', value: () => '' }], rows)
      .split('\n')
      .reduce((a, b) => (textWidth(a) > textWidth(b) ? a : b)),
  );
  const room = out.isTerminal ? Math.max(8, out.columns - used - 3) : Infinity;
  return [...columns, { header: 'REASON', value: (row) => truncate(why(row), room) }];
}

function durationOf(record: StepRecord): string | undefined {
  const from = begunAt(record);
  return from === undefined || record.finishedAt === undefined ? undefined : formatElapsed(record.finishedAt - from);
}

function printFailure(
  { out, cwd }: CliContext,
  { directory }: RunResult,
  name: string,
  { attempts, message, reason }: StepRecord,
): void {
  const last = attempts.at(-1);
  out.line();
  out.line(`${out.colors.red(name)}: ${message ?? reason}`);
  const lines = last === undefined ? [] : endOf(directory.logFile(name, last.number));
  if (last === undefined || lines.length === 0) return;
  out.line(out.colors.dim(`  the end of ${displayPath(cwd, directory.logFile(name, last.number))}:`));
  for (const line of lines) out.line(`  ${out.colors.dim('|')} ${printable(line, out.colors.isColorSupported)}`);
}

function endOf(logFile: string): string[] {
  let descriptor: number;
  try {
    descriptor = openSync(logFile, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, 16 * 1024));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .slice(-LOG_LINES)
      .filter((line) => line !== '');
  } finally {
    closeSync(descriptor);
  }
}

/** The result for programs. */
export function resultJson(result: RunResult) {
  const { run, record, directory } = result;
  const { phase, reason, message, startedAt, finishedAt, outputs } = record.run;
  return {
    run: run.name,
    workflow: run.graph.workflow,
    phase,
    reason,
    message,
    startedAt: time(startedAt),
    finishedAt: time(finishedAt),
    inputs: run.inputs,
    outputs: outputs ?? {},
    directory: directory.path,
    steps: rowsOf(result).map(({ name, record: step }) => ({
      name,
      phase: step.phase,
      reason: step.reason,
      message: step.message,
      outputs: step.outputs,
      finishedAt: time(step.finishedAt),
      attempts: step.attempts.map(({ number, createdAt: _, startedAt: from, finishedAt: to, ...attempt }) => ({
        number,
        ...attempt,
        startedAt: time(from),
        finishedAt: time(to),
        // The items of one Job have logs of their own.
        ...(step.indexes === undefined && { log: directory.logFile(name, number) }),
      })),
    })),
  };
}

const time = (instant: number | undefined) => (instant === undefined ? undefined : new Date(instant).toISOString());
