import type { Run } from '../../engine/run.ts';
import type { Instant, StepPhase, StepRecord } from '../../engine/record.ts';
import { formatElapsed } from '../terminal/duration.ts';
import type { Colors } from '../terminal/output.ts';
import type { PhaseStyle } from '../terminal/phases.ts';
import { textWidth, truncate } from '../terminal/table.ts';

/** What a frame of the live view is drawn from. */
export interface RunFrame {
  readonly run: Run;
  readonly title: string;
  /** Names of all steps, in the order of the graph. */
  readonly steps: readonly string[];
  readonly now: Instant;
  /** Counts frames, for what turns. */
  readonly tick: number;
  readonly columns: number;
  readonly rows: number;
  readonly style: PhaseStyle;
  readonly colors: Colors;
}

/** Beyond so many steps only those are shown that run, wait for more than room, or failed. */
const MAX_STEPS = 20;
const MAX_NAME = 40;

/** The run as lines that fit into the terminal. */
export function runLines(frame: RunFrame): string[] {
  const { run, steps, rows } = frame;
  const records = steps.map((name) => ({ name, record: run.step(name) }));
  const room = Math.max(3, rows - 3);
  if (steps.length <= Math.min(MAX_STEPS, room)) return [head(frame), ...stepLines(frame, records)];
  const shown = records.filter(({ record }) => isNotable(record)).sort((a, b) => rank(a.record) - rank(b.record));
  const most = Math.min(MAX_STEPS, room) - 1;
  const hidden = shown.length > most ? [frame.colors.dim(`  and ${shown.length - most} more`)] : [];
  return [head(frame), ...stepLines(frame, shown.slice(0, most)), ...hidden, countsLine(frame, records)];
}

function head({ run, title, now, columns, colors, steps }: RunFrame): string {
  const { succeeded, skipped, total } = run.counts();
  const done = `${succeeded + skipped}/${total}`;
  const tail = `  ${done} ${steps.length === 1 ? 'step' : 'steps'}  ${formatElapsed(now - run.state.startedAt)}`;
  const text = truncate(title, Math.max(10, columns - 1 - tail.length));
  return `${colors.bold(text)}${colors.dim(tail)}`;
}

interface Shown {
  readonly name: string;
  readonly record: StepRecord;
}

function stepLines(frame: RunFrame, shown: readonly Shown[]): string[] {
  const names = shown.map(({ name }) => truncate(name, MAX_NAME));
  const width = Math.max(0, ...names.map(textWidth));
  return shown.map(({ name, record }, index) => {
    const { phase } = record;
    const sign = phase === 'Running' ? frame.style.spinner(frame.tick) : frame.style.glyph(phase);
    const label = names[index]! + ' '.repeat(width - textWidth(names[index]!));
    const time = (elapsed(record, frame.now) ?? '').padStart(7);
    const note = noteOf(frame, name, record);
    const room = frame.columns - 1 - (2 + width + 2 + time.length + 2);
    const styled = note === '' ? '' : frame.colors.dim(truncate(note, Math.max(0, room)));
    return `${frame.style.paint(phase, `${sign} `)}${phase === 'Pending' ? frame.colors.dim(label) : label}  ${time}  ${styled}`.trimEnd();
  });
}

/** Time of the attempts so far; of a step that waits for another try, until when it has tried. */
function elapsed({ attempts, phase, finishedAt }: StepRecord, now: Instant): string | undefined {
  const first = attempts[0];
  if (first === undefined) return undefined;
  const end = phase === 'Running' ? now : (finishedAt ?? attempts.at(-1)?.finishedAt ?? now);
  return formatElapsed(end - (first.startedAt ?? first.createdAt));
}

function noteOf({ run, now }: RunFrame, name: string, record: StepRecord): string {
  if (record.reason === 'Cached') return record.message ?? '';
  if (record.phase === 'Succeeded') return record.attempts.length > 1 ? `attempt ${record.attempts.length}` : '';
  const isFirst = record.attempts.length === 1 && (record.reason === 'Created' || record.reason === 'ContainerRunning');
  const runsFirst = record.phase === 'Running' && isFirst;
  return runsFirst ? '' : run.explain(name, now).replaceAll(/\s+/g, ' ');
}

function isNotable({ phase, reason }: StepRecord): boolean {
  return (
    phase === 'Running' ||
    phase === 'Failed' ||
    phase === 'Cancelled' ||
    (phase === 'Waiting' && reason !== 'ParallelismLimit' && reason !== 'Suspended')
  );
}

function rank({ phase }: StepRecord): number {
  return ['Failed', 'Running', 'Waiting', 'Cancelled'].indexOf(phase);
}

function countsLine({ style, colors, columns }: RunFrame, records: readonly Shown[]): string {
  const counts = new Map<StepPhase, number>();
  for (const { record } of records) counts.set(record.phase, (counts.get(record.phase) ?? 0) + 1);
  const order: readonly StepPhase[] = ['Succeeded', 'Running', 'Failed', 'Waiting', 'Pending', 'Skipped', 'Cancelled'];
  const parts = order.flatMap((phase) => {
    const count = counts.get(phase);
    return count === undefined ? [] : [`${style.glyph(phase)} ${count} ${phase.toLowerCase()}`];
  });
  return colors.dim(truncate(parts.join('   '), columns - 1));
}
