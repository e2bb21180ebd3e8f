import type { Decision } from '../../engine/advance.ts';
import { isHeldUp } from '../../engine/phases.ts';
import type { StepReason } from '../../engine/reasons.ts';
import type { Instant, StepRecord } from '../../engine/record.ts';
import type { Run } from '../../engine/run.ts';
import { attemptsText } from '../terminal/attempts.ts';
import { formatElapsed } from '../terminal/duration.ts';
import type { PhaseStyle } from '../terminal/phases.ts';

/** Tells in lines what happened to the steps of a run: one line for each change that a person wants to know of. */
export class RunEvents {
  readonly #style: PhaseStyle;
  readonly #before = new Map<string, string>();
  readonly #width: number;

  /** `steps`: their names, for the width of the column. */
  constructor(steps: readonly string[], style: PhaseStyle) {
    this.#style = style;
    this.#width = Math.min(40, Math.max(0, ...steps.map((name) => name.length)));
  }

  /** The lines for one turn of the engine. */
  lines(run: Run, decision: Decision, now: Instant): string[] {
    const lines: string[] = [];
    for (const [name, record] of decision.steps) {
      const text = eventOf(record);
      // The record of a step changes more often than what there is to say of it.
      if (text === undefined || this.#before.get(name) === text) continue;
      this.#before.set(name, text);
      const time = formatElapsed(now - run.state.startedAt).padStart(7);
      const { glyph, paint } = this.#style;
      lines.push(`${time}  ${paint(record.phase, glyph(record.phase))} ${name.padEnd(this.#width)}  ${text}`);
    }
    return lines;
  }
}

function eventOf(record: StepRecord): string | undefined {
  const { phase, reason, message, attempts } = record;
  const last = attempts.at(-1);
  const why = message === undefined ? reason : `${reason}: ${message}`;
  switch (phase) {
    case 'Running':
      if (record.items !== undefined || reason === 'ItemsRunning') return `runs ${attemptsText(record)}`;
      if (last?.stopping !== undefined) return `is being stopped (${last.stopping})`;
      if (reason === 'ServiceReady') return `is ready at ${String(record.outputs?.host)}`;
      return reason === 'ContainerRunning' || reason === 'RunRunning'
        ? `runs${attempts.length > 1 ? ` (attempt ${attempts.length})` : ''}`
        : undefined;
    case 'Waiting':
      if (isHeldUp(record) || reason === 'ServiceNotReady') return `waits: ${message ?? reason}`;
      if (attempts.length === 0) return gateText(reason, message);
      return reason === 'Backoff' ? `attempt ${attempts.length} failed; ${message ?? 'it is tried again'}` : undefined;
    case 'Succeeded':
      if (reason === 'ServiceStopped') return `was stopped after ${attemptTime(record)}`;
      return attempts.length === 0 && record.items === undefined
        ? (message ?? 'is over')
        : `succeeded in ${attemptTime(record)}`;
    case 'Failed':
      return `failed (${why})`;
    case 'Skipped':
      return `skipped (${why})`;
    case 'Cancelled':
      return `cancelled (${why})`;
    case 'Pending':
      return undefined;
  }
}

const gates: Partial<Record<StepReason, string>> = {
  WaitingForApproval: 'waits for approval',
  WaitingForInput: 'waits for an input',
  Sleeping: 'sleeps',
  WaitingForTime: 'waits for its time',
};

function gateText(reason: StepReason, message: string | undefined): string | undefined {
  const text = gates[reason];
  return text === undefined || message === undefined ? text : `${text}: ${message}`;
}

function attemptTime(record: StepRecord): string {
  const { attempts, items, readyAt, finishedAt } = record;
  if (items !== undefined) return `${formatElapsed((finishedAt ?? 0) - (readyAt ?? 0))} (${attemptsText(record)})`;
  const last = attempts.at(-1);
  const from = last?.startedAt ?? last?.createdAt ?? finishedAt ?? 0;
  return formatElapsed((last?.finishedAt ?? finishedAt ?? from) - from);
}
