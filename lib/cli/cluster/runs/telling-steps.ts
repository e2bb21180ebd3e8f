import type { Output } from '../../terminal/output.ts';
import type { PhaseStyle } from '../../terminal/phases.ts';
import { stepTable } from '../../terminal/step-lines.ts';
import type { StepView } from './run-view.ts';

/** The steps as a table of at most so many lines: where not all fit, those that there is most to tell of. */
export function tellingSteps(
  steps: readonly StepView[],
  room: number,
  phases: PhaseStyle,
  colors: Output['colors'],
): string[] {
  const { shown, hidden } = mostTelling(steps, room);
  const table = stepTable(shown, phases).trimEnd().split('\n');
  return hidden > 0 ? [...table, colors.dim(`  … ${hidden} more steps`)] : table;
}

const urgency: Readonly<Record<StepView['phase'], number>> = {
  Running: 0,
  Failed: 1,
  Waiting: 2,
  Cancelled: 3,
  Pending: 4,
  Succeeded: 5,
  Skipped: 6,
};

/** As many steps as fit, in the graph's order, leaving out first those that there is least to tell of. */
function mostTelling(steps: readonly StepView[], room: number): { shown: readonly StepView[]; hidden: number } {
  if (steps.length <= room) return { shown: steps, hidden: 0 };
  const kept = new Set(steps.toSorted((a, b) => urgency[a.phase] - urgency[b.phase]).slice(0, Math.max(1, room - 1)));
  return { shown: steps.filter((step) => kept.has(step)), hidden: steps.length - kept.size };
}
