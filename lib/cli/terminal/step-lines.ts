import { attemptsText } from './attempts.ts';
import { formatElapsed } from './duration.ts';
import type { PhaseStyle } from './phases.ts';
import type { StepView } from '../cluster/runs/run-view.ts';
import { formatTable, type Column } from './table.ts';

/** The steps of a run as a table, a mark before each name, so that the phase is told without colours too. */
export function stepTable(
  steps: readonly StepView[],
  phases: PhaseStyle,
  options: { readonly wide?: boolean } = {},
): string {
  const style = (text: string, { phase }: StepView): string => phases.paint(phase, text);
  const columns: Column<StepView>[] = [
    { header: '  STEP', value: ({ name, phase }) => `${phases.glyph(phase)} ${name}`, style },
    { header: 'PHASE', value: ({ phase }) => phase, style },
    { header: 'ATTEMPTS', value: attemptsText },
    { header: 'DURATION', value: ({ durationSeconds }) => elapsed(durationSeconds) },
    { header: 'OUTPUTS', value: ({ outputs }) => (outputs === undefined ? '' : JSON.stringify(outputs)), wide: true },
    { header: 'MESSAGE', value: stepMessage },
  ];
  return formatTable(columns, steps, options);
}

/** Why a step is where it is, in a few words. Nothing for what needs no explaining. */
export function stepMessage({ phase, reason, message, explanation }: StepView): string {
  if (explanation !== undefined) return explanation;
  if (phase === 'Succeeded') return message ?? '';
  if (phase === 'Pending' && message === undefined) return '';
  return message === undefined ? reason : `${reason}: ${message}`;
}

/** Seconds as a duration; `-` when there is none. */
export function elapsed(seconds: number | undefined): string {
  return seconds === undefined ? '-' : formatElapsed(seconds * 1000);
}
