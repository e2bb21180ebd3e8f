import { isFinal, untouched } from '../../engine/phases.ts';
import { skipPrefix } from '../../graph/labels.ts';
import { jobs } from '../../kube/resources.ts';
import { qualifiedNameProblem } from '../../values/names.ts';
import { findRun, withCluster } from '../cluster/cluster-session.ts';
import { graphOfOpenRun, noSuchStep } from '../cluster/runs/open-run.ts';
import { whoAmI } from '../../kube/who-am-i.ts';
import { readRunState, type RunState } from '../../runs/run-state.ts';
import type { SkipOptions } from '../commands/skip.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';

/** Skips a step that has not begun. Doing it twice is doing it once. */
export async function skip({ out }: CliContext, run: string, step: string, options: SkipOptions): Promise<void> {
  await withCluster(options, async (client) => {
    const state = await readRunState(client, await findRun(client, run));
    const { name, namespace, annotations: given } = state.job.metadata;
    const key = checkedKey(state, step);
    if (given?.[key] !== undefined) return out.line(`step ${step} of run ${name} is skipped already`);
    const by = await whoAmI(client);
    const why = [options.comment, by && `(by ${by})`].filter(Boolean).join(' ');
    const metadata = { annotations: { [key]: why } };
    await client.patch(jobs, name, { metadata }, { type: 'merge', namespace, repeatable: true });
    out.line(`step ${step} of run ${name} skipped`);
  });
}

/**
 * The annotation that skips a step.
 *
 * @throws FailedError when the step cannot be skipped
 */
function checkedKey(state: RunState, step: string): string {
  const { name } = state.job.metadata;
  const steps = graphOfOpenRun(state).steps.map((node) => node.name);
  if (!steps.includes(step)) throw noSuchStep(name, step, steps);
  const { phase, reason } = state.record?.steps.get(step) ?? untouched;
  if (phase === 'Running')
    throw new FailedError(`The step ${step} of run ${name} is Running; only a step that waits can be skipped`);
  if (isFinal(phase) && reason !== 'SkippedByHand')
    throw new FailedError(`The step ${step} of run ${name} is ${phase} already (${reason})`);
  const key = `${skipPrefix}${step}`;
  const wrong = qualifiedNameProblem(key);
  if (wrong !== undefined) throw new FailedError(`The step ${step} cannot be skipped: the annotation ${key} ${wrong}`);
  return key;
}
