import type { Answer } from '../../engine/answers.ts';
import { answerText, readAnswer } from '../../engine/answers.ts';
import { isFinal } from '../../engine/phases.ts';
import { answerKey, isAnswerable, type AnswerableStep } from '../../graph/gate-rules.ts';
import type { Gate } from '../../graph/graph.ts';
import { rulesOf } from '../../graph/step-kinds.ts';
import { jobs } from '../../kube/resources.ts';
import { InvalidError, suggest } from '../../values/problems.ts';
import { parseValue } from '../../values/schema.ts';
import { findRun, withCluster } from '../cluster/cluster-session.ts';
import { graphOfOpenRun, noSuchStep } from '../cluster/runs/open-run.ts';
import { whoAmI } from '../../kube/who-am-i.ts';
import { readRunState, type RunState } from '../../runs/run-state.ts';
import type { AnswerOptions } from '../commands/answer.ts';
import type { ApproveOptions } from '../commands/approve.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import type { ClusterOptions } from '../options.ts';

/** Which step of which run. */
interface Target {
  readonly run: string;
  readonly step: string;
}

/** `approve`: opens a gate that waits for an approval, or denies it. */
export async function approve(context: CliContext, target: Target, options: ApproveOptions): Promise<void> {
  const { deny = false, comment } = options;
  const done = deny ? 'denied' : 'approved';
  await send(context, target, 'approval', options, () => ({ approved: !deny, ...(comment && { comment }) }), done);
}

/** `answer`: gives a gate the value that it waits for. */
export async function answer(
  context: CliContext,
  target: Target & { readonly value: string },
  options: AnswerOptions,
): Promise<void> {
  const { comment } = options;
  const given = (step: AnswerableStep) => ({
    value: parseValue(step.outputs?.properties.value ?? {}, target.value),
    ...(comment && { comment }),
  });
  await send(context, target, 'input', options, given, 'answered');
}

async function send(
  { out }: CliContext,
  target: Target,
  waitsFor: Gate['waitsFor'],
  options: ClusterOptions,
  given: (step: AnswerableStep) => Answer,
  done: string,
): Promise<void> {
  await withCluster(options, async (client) => {
    const state = await readRunState(client, await findRun(client, target.run));
    const step = gateOf(state, target.step, waitsFor);
    const { name, namespace } = state.job.metadata;
    const by = await whoAmI(client);
    const text = answerText({ ...given(step), ...(by !== undefined && { by }), at: Date.now() });
    const read = readAnswer(step, text);
    if ('problems' in read) throw new InvalidError(`Cannot answer step ${step.name} of run ${name}`, read.problems);
    const metadata = { annotations: { [answerKey(step)]: text } };
    await client.patch(jobs, name, { metadata }, { type: 'merge', namespace, repeatable: true });
    const early = state.record?.steps.get(step.name)?.phase === 'Waiting' ? '' : '; it takes the answer when it waits';
    out.line(`step ${step.name} of run ${name} ${done}${by === undefined ? '' : ` by ${by}`}${early}`);
  });
}

/**
 * The step, if it may still be answered so.
 *
 * @throws FailedError when it may not
 */
function gateOf(state: RunState, name: string, waitsFor: Gate['waitsFor']): AnswerableStep {
  const graph = graphOfOpenRun(state);
  const { job, record } = state;
  const run = job.metadata.name;
  const gates = graph.steps.filter(isAnswerable).filter(({ gate }) => gate.waitsFor === waitsFor);
  const step = gates.find((each) => each.name === name);
  if (step === undefined) {
    const node = graph.steps.find((each) => each.name === name);
    const names = gates.map((gate) => gate.name);
    if (node === undefined) throw noSuchStep(run, name, names);
    const near = suggest(name, names);
    const hint = near === undefined ? '' : `; ${near}`;
    const what = waitsFor === 'approval' ? 'approval' : 'input';
    const other = isAnswerable(node) ? `: it ${rulesOf(node).caption(node)}` : '';
    throw new FailedError(
      `The step ${name} of run ${run} waits for no ${what}${other}${isAnswerable(node) ? '' : hint}`,
    );
  }
  const known = record?.steps.get(name);
  if (known !== undefined && isFinal(known.phase))
    throw new FailedError(
      `The step ${name} of run ${run} is ${known.phase} already${known.message === undefined ? '' : `: ${known.message}`}`,
    );
  return step;
}
