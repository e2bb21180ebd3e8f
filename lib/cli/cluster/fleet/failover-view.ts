import type { Move, SideState } from '../../../fleet/failover/failover-moves.ts';
import type { Colors } from '../../terminal/output.ts';
import type { PhaseStyle } from '../../terminal/phases.ts';
import { formatTable, type Column } from '../../terminal/table.ts';

/** What is to become of a plan, or became of it. */
export interface PlanSwitch extends Move {
  /** The cluster that it belongs on. */
  readonly homeCluster: string;
  readonly backupCluster: string;
  /** Whether it was done; left out before. */
  readonly done?: boolean;
  /** Why it could not be done. */
  readonly problem?: string;
}

/** A row for each plan: what is done to it on the two clusters, or how it is there. */
export function switchTable(plans: readonly PlanSwitch[], colors: Colors): string {
  const side = (header: string, of: 'home' | 'backup'): Column<PlanSwitch> => ({
    header,
    value: (plan) => `${plan[`${of}Cluster`]}: ${words[plan[of]]}`,
    style: (text, plan) => paint(plan, plan[of], colors)(text),
  });
  return formatTable<PlanSwitch>(
    [
      { header: 'PLAN', value: ({ plan }) => plan },
      side('WHERE IT BELONGS', 'home'),
      side('BACKUP', 'backup'),
      { header: 'NOTE', value: ({ note }) => note ?? '' },
    ],
    plans,
  );
}

const words: Readonly<Record<SideState, string>> = {
  suspend: 'suspend',
  activate: 'activate',
  suspended: 'is suspended',
  active: 'is active',
  absent: 'is not there',
  unreachable: 'not reached',
};

function paint({ verdict }: PlanSwitch, state: SideState, colors: Colors): (text: string) => string {
  if (verdict === 'refused') return colors.red;
  if (verdict !== 'switch') return colors.dim;
  return state === 'activate' ? colors.green : state === 'suspend' ? colors.yellow : colors.dim;
}

/** A sentence for each plan that is not, or could not be, switched; then how many were. */
export function switchReport(
  plans: readonly PlanSwitch[],
  { colors, phases, dryRun }: { readonly colors: Colors; readonly phases: PhaseStyle; readonly dryRun: boolean },
): string {
  const errors = plans.flatMap(({ plan, verdict, note, problem }) => {
    const why = problem ?? (verdict === 'refused' ? note : undefined);
    return why === undefined ? [] : [`${colors.red('error:')} ${plan}: ${why}\n`];
  });
  const switched = plans.filter(({ done }) => done).length;
  const parts = [
    `${plural(switched)} ${dryRun ? 'would be switched (dry run, nothing was written)' : 'switched'}`,
    ...counted(plans, 'done', 'before'),
    ...counted(plans, 'stays', 'as they are'),
    ...(errors.length > 0 ? [`${errors.length} not switched`] : []),
  ];
  const phase = errors.length > 0 ? 'Failed' : 'Succeeded';
  return `${errors.join('')}${phases.paint(phase, phases.glyph(phase))} ${parts.join(', ')}\n`;
}

function counted(plans: readonly PlanSwitch[], verdict: Move['verdict'], words: string): string[] {
  const count = plans.filter((plan) => plan.verdict === verdict).length;
  return count === 0 ? [] : [`${count} ${words}`];
}

/** `3 plans`, `1 plan`. */
export function plural(count: number): string {
  return count === 1 ? '1 plan' : `${count} plans`;
}
