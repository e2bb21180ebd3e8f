import { applyFailure } from '../../../fleet/apply/apply-failure.ts';
import { inParallel } from '../../../fleet/in-parallel.ts';
import { InvalidError, type Problem } from '../../../values/problems.ts';
import { sharedProblems, type NamedProblem } from '../../../values/shared-problems.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, exitCodes } from '../../errors.ts';
import { grantHints } from '../../grant-hint.ts';

const REQUESTS_AT_ONCE = 8;

/** How plans are moved to another version. */
export interface Moving {
  /** For the message when nothing is done, such as `promote the group sites`. */
  readonly what: string;
  readonly problemsOf: (plan: PlanCronJob) => Promise<readonly Problem[]>;
  readonly move: (plan: PlanCronJob) => Promise<unknown>;
  /** What is said of a plan that was moved. */
  readonly line: (plan: PlanCronJob) => string;
}

/**
 * Moves plans to another version, none before all were checked. Done again it goes on with those that could not be moved.
 *
 * @throws InvalidError with all that is wrong, before anything is written
 */
export async function movePlans(
  { out, err }: CliContext,
  plans: readonly PlanCronJob[],
  { what, problemsOf, move, line }: Moving,
): Promise<void> {
  const problems: NamedProblem[] = [];
  await inParallel(plans, REQUESTS_AT_ONCE, async (plan) => {
    for (const problem of await problemsOf(plan)) problems.push({ name: plan.metadata.name, problem });
  });
  if (problems.length > 0)
    throw new InvalidError(
      `Cannot ${what}`,
      plans.length === 1 ? problems.map(({ problem }) => problem) : [...sharedProblems(problems, plans.length)],
    );
  const failures: string[] = [];
  await inParallel(plans, REQUESTS_AT_ONCE, async (plan) => {
    try {
      await move(plan);
      out.line(line(plan));
    } catch (error) {
      const { message, fix } = applyFailure(error);
      failures.push(message);
      err.line(`${err.colors.red('error:')} ${plan.metadata.name}: ${message}${fix === undefined ? '' : `; ${fix}`}`);
    }
  });
  for (const hint of grantHints(failures)) err.line(hint);
  if (failures.length > 0) throw new ExitError(exitCodes.failed);
}
