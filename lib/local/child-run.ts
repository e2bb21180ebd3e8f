import { DEFAULT_MAX_DEPTH, type Graph, type RunStep } from '../graph/graph.ts';
import { attemptObjectName } from '../graph/object-names.ts';
import type { RunPolicy } from '../graph/run-policy.ts';
import { recursionProblem } from '../graph/run-rules.ts';
import { EVERY_STEP } from '../pods/run-override.ts';
import type { RunLayers } from '../pods/runtime-template.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import type { JsonObject } from '../values/json.ts';
import { formatProblem } from '../values/problems.ts';
import { checkValues } from '../values/schema.ts';
import type { LocalRun } from './run-directory.ts';

/** What the steps of a run may run that are runs of their own. */
export interface OtherRuns {
  /** By the names that graphs have for them. */
  readonly graphs: Readonly<Record<string, Graph>>;
  readonly plans: Readonly<Record<string, LocalPlan>>;
}

/** A launch plan, as far as a run on this machine follows it. */
export interface LocalPlan {
  /** Name of its graph. */
  readonly graph: string;
  readonly inputs: JsonObject;
  readonly fixedInputs: readonly string[];
  readonly parallelism?: number;
  readonly timeoutSeconds?: number;
  readonly podOverride?: PodTemplateOverride;
  readonly policy?: RunPolicy;
}

/** Why a run cannot be started; no other attempt could. */
export interface NoRun {
  readonly reason: 'Rejected' | 'RecursionLimit';
  readonly problem: string;
}

/** The run that an attempt at a step of a run is. */
export function childRun(run: LocalRun, step: RunStep, attempt: number, given: JsonObject): LocalRun | NoRun {
  const { others = { graphs: {}, plans: {} } } = run;
  const within = [...(run.within ?? []), run.name];
  const { runs, maxDepth = DEFAULT_MAX_DEPTH } = step;
  if (within.length >= maxDepth) return { reason: 'RecursionLimit', problem: recursionProblem(within, maxDepth) };
  const plan = 'plan' in runs ? own(others.plans, runs.plan) : undefined;
  if ('plan' in runs && plan === undefined) return rejected(`there is no launch plan ${runs.plan} in the app`);
  const fixed = plan?.fixedInputs.filter((input) => Object.hasOwn(given, input)) ?? [];
  if (fixed.length > 0) return rejected(`the launch plan fixes ${fixed.join(', ')}`);
  const graph = own(others.graphs, plan?.graph ?? ('graph' in runs ? runs.graph : ''));
  if (graph === undefined) return rejected('there is no such graph in the app');
  const name = attemptObjectName(run.name, step.name, attempt);
  const checked = checkValues(graph.inputs, { ...plan?.inputs, ...given }, 'refuse', 'inputs');
  if (!checked.ok) return rejected(`run ${name} cannot be started: ${checked.problems.map(formatProblem).join('; ')}`);
  const { timeoutSeconds: _, policy: around, ...rest } = run;
  const policy = plan === undefined ? around : plan.policy;
  return {
    ...rest,
    name,
    graph,
    within,
    inputs: checked.values,
    parallelism: plan?.parallelism ?? ('graph' in runs ? runs.parallelism : undefined) ?? run.parallelism,
    layers: plan === undefined ? inherited(run.layers, name) : layersOf(plan, name, 'plan' in runs ? runs.plan : ''),
    ...(policy && { policy }),
    ...(plan?.timeoutSeconds !== undefined && { timeoutSeconds: plan.timeoutSeconds }),
  };
}

/** What the run around it changes of all pods, it changes of these. */
function inherited(layers: RunLayers | undefined, run: string): RunLayers {
  const { runOverride, ...others } = layers ?? {};
  const every = runOverride?.[EVERY_STEP];
  return { ...others, run, ...(every && { runOverride: { [EVERY_STEP]: every } }) };
}

function layersOf({ podOverride }: LocalPlan, run: string, plan: string): RunLayers {
  return { run, plan, ...(podOverride && { podOverride }) };
}

const rejected = (problem: string): NoRun => ({ reason: 'Rejected', problem });

function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
