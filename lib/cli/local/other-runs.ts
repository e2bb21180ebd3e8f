import { findWorkflows, type WorkflowManifests } from '../../graph/bundle.ts';
import type { StepNode } from '../../graph/graph.ts';
import { isAnswerable } from '../../graph/gate-rules.ts';
import { rulesOf } from '../../graph/step-kinds.ts';
import type { LocalPlan, OtherRuns } from '../../local/child-run.ts';
import type { PodTemplateOverride } from '../../pods/template.ts';
import { InvalidError, type Problem } from '../../values/problems.ts';
import type { SelectedWorkflow } from '../app/select-workflow.ts';

/** What the steps of a workflow, and of those that they run, may run as runs of their own. */
export interface Reachable {
  readonly workflows: readonly WorkflowManifests[];
  readonly runs: OtherRuns;
}

/**
 * All that a run may come to run as runs of its own. What is not in the app is left out: only the run that comes to it knows
 * that it is missed.
 *
 * @throws InvalidError when one of them waits for somebody, who could be asked on a cluster only
 */
export function otherRuns({ workflow, objects, elsewhere }: SelectedWorkflow): Reachable {
  const here = findWorkflows(objects).workflows;
  // What other clusters have is only looked at where a step has its run on one; here all of them are this machine.
  const goesElsewhere = here.some(({ graph }) => graph.steps.some((step) => step.kind === 'run' && step.cluster));
  const there = goesElsewhere ? findWorkflows(elsewhere).workflows : [];
  const all = [...there, ...here].filter(({ namespace }) => namespace === workflow.namespace);
  const byGraph = new Map(all.map((each) => [each.graphName, each]));
  const plans = new Map(
    all.flatMap((each) => each.plans.map((plan) => [plan.name, { plan, workflow: each }] as const)),
  );
  const found = new Map<string, WorkflowManifests>();
  const used = new Map<string, LocalPlan>();
  const open = [workflow];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const runs of next.graph.steps.flatMap((step) => (step.kind === 'run' ? [step.runs] : []))) {
      const made = 'plan' in runs ? plans.get(runs.plan) : undefined;
      const other = 'plan' in runs ? made?.workflow : byGraph.get(runs.graph);
      if (made !== undefined) used.set(made.plan.name, localPlan(made.workflow.graphName, made.plan));
      if (other === undefined || found.has(other.graphName)) continue;
      found.set(other.graphName, other);
      if (other !== workflow) open.push(other);
    }
  const workflows = [...found.values()];
  const problems = workflows.flatMap((each) => (each === workflow ? [] : [...gateProblems(each)]));
  if (problems.length > 0) throw new InvalidError(`Cannot run ${workflow.workflow}`, problems);
  return {
    workflows,
    runs: {
      graphs: Object.fromEntries(workflows.map(({ graphName, graph }) => [graphName, graph])),
      plans: Object.fromEntries(used),
    },
  };
}

function localPlan(graph: string, plan: WorkflowManifests['plans'][number]): LocalPlan {
  const { inputs, fixedInputs, parallelism, timeoutSeconds, podOverride, policy } = plan;
  return {
    graph,
    inputs,
    fixedInputs,
    ...(parallelism !== undefined && { parallelism }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(podOverride && { podOverride: podOverride as PodTemplateOverride }),
    ...(policy && { policy }),
  };
}

function* gateProblems({ workflow, graph }: WorkflowManifests): Generator<Problem> {
  const waits = (step: StepNode) => isAnswerable(step) && step.timeoutSeconds === undefined;
  for (const step of graph.steps.filter(waits))
    yield {
      path: `workflow ${workflow}: step ${step.name}`,
      message: `${rulesOf(step).caption(step)}, and here only the steps of the run itself can be answered`,
      fix: 'give it a timeout and a default',
    };
}
