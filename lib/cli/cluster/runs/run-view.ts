import { readControls, type RunControls } from '../../../controller/run-job.ts';
import { begunAt } from '../../../engine/phases.ts';
import type { AttemptRecord, StepPhase, StepRecord } from '../../../engine/record.ts';
import { Run } from '../../../engine/run.ts';
import { hasPod, type Gate, type Graph, type StepNode } from '../../../graph/graph.ts';
import { isAnswerable } from '../../../graph/gate-rules.ts';
import { attemptNameOf } from '../../../graph/object-names.ts';
import { topology } from '../../../graph/topology.ts';
import type { JsonObject } from '../../../values/json.ts';
import { describeType } from '../../../values/schema.ts';
import { annotations, labels } from '../../../graph/labels.ts';
import type { RunJob } from '../../../runs/run-objects.ts';
import type { RunState } from '../../../runs/run-state.ts';
import {
  durationOf,
  inputsOf,
  isDriven,
  isOver,
  runOverrideOf,
  summaryOf,
  type RunSummary,
} from '../../../runs/run-summary.ts';

/** One try at a step. Times are ISO 8601. */
export interface AttemptView {
  readonly number: number;
  readonly phase: AttemptRecord['phase'];
  readonly reason: string;
  readonly message?: string;
  readonly exitCode?: number;
  /** The Pod, or with `runAs: 'Job'` the Job, that it ran as. */
  readonly object: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly durationSeconds?: number;
}

/** A step of a run. */
export interface StepView {
  readonly name: string;
  /** Of a step that runs a task. */
  readonly task?: string;
  /** Of a gate: what it waits for. */
  readonly gate?: Gate['waitsFor'];
  /** Of a run of its own, and where a workflow begins or ends that is part of this one: the workflow. */
  readonly workflow?: string;
  /** Of a run of its own that a launch plan makes: the plan. */
  readonly plan?: string;
  /** Of a run of its own that is on another cluster: the cluster, as the fleet names it. */
  readonly cluster?: string;
  readonly phase: StepPhase;
  readonly reason: string;
  readonly message?: string;
  /** Why a step that is not over is where it is; of one that waits, what it waits for. */
  readonly explanation?: string;
  readonly attempts: readonly AttemptView[];
  /** Of a map step: how many items it has. */
  readonly items?: number;
  /** Of a map step that is one Indexed Job: how many items it has. */
  readonly indexes?: number;
  /** From the start of the first attempt to the end, or to now. */
  readonly durationSeconds?: number;
  readonly outputs?: JsonObject;
}

/** A run as `describe` tells of it, also with `-o json`. */
export interface RunView extends RunSummary {
  readonly version?: string;
  readonly durationSeconds?: number;
  readonly inputs: JsonObject;
  /** What its launch changed of its pods, by step. */
  readonly override?: JsonObject;
  readonly outputs?: JsonObject;
  /** The run that it went on from. */
  readonly rerunOf?: string;
  /** Left out where it is the default, 0. */
  readonly priority?: number;
  /** In the graph's order; none for a single task. */
  readonly steps: readonly StepView[];
}

/** Puts together what is known of a run. */
export function runView({ job, graph, record }: RunState, now: number): RunView {
  const summary = summaryOf(job);
  const run = record?.run;
  // The record is ahead of the Job, which is written at most once a second.
  const taken = summary.phase === 'Pending' && run !== undefined;
  return {
    ...summary,
    phase: taken ? 'Running' : summary.phase,
    reason: summary.reason ?? (run?.phase === 'Running' ? undefined : run?.reason),
    message: (taken ? undefined : summary.message) ?? run?.message,
    version: job.metadata.labels?.[labels.version],
    durationSeconds: inSeconds(durationOf(summary, now)),
    inputs: inputsOf(job.metadata),
    override: runOverrideOf(job.metadata),
    outputs: run?.outputs,
    rerunOf: job.metadata.annotations?.[annotations.recover],
    priority: controlsOf(job).priority || undefined,
    steps: graph === undefined ? [] : stepViews({ job, record }, graph, now),
  };
}

function controlsOf(job: RunJob): RunControls {
  return readControls(job, isDriven(job) ? 'driver' : 'managed').controls;
}

function stepViews({ job, record }: Pick<RunState, 'job' | 'record'>, graph: Graph, now: number): StepView[] {
  const { phase } = summaryOf(job);
  const spec = { name: job.metadata.name, inputs: inputsOf(job.metadata), ...controlsOf(job) };
  const run = new Run(topology(graph), spec, record);
  return graph.steps.map((node) => {
    const step = run.step(node.name);
    // Without a record nobody has looked at the run yet, and no step waits for another.
    const explained = record !== undefined && !isOver(phase) && !finalPhases.has(step.phase);
    return {
      name: node.name,
      ...kindView(node),
      phase: step.phase,
      reason: step.reason,
      message: step.message,
      ...(explained && {
        explanation: `${run.explain(node.name, now)}${howToOpen(job.metadata.name, node, step.phase)}`,
      }),
      ...(step.items !== undefined && { items: step.items }),
      ...(step.indexes !== undefined && { indexes: step.indexes }),
      attempts: step.attempts.map((attempt) => attemptView(job.metadata, node, attempt, now)),
      durationSeconds: inSeconds(stepDuration(step, now)),
      outputs: step.outputs,
    };
  });
}

function kindView(node: StepNode): Pick<StepView, 'task' | 'gate' | 'workflow' | 'plan' | 'cluster'> {
  if (node.kind === 'gate') return { gate: node.gate.waitsFor };
  if (node.kind === 'run') {
    const { runs, cluster } = node;
    const what = 'plan' in runs ? { plan: runs.plan } : { workflow: runs.workflow };
    return { ...what, ...(cluster !== undefined && { cluster }) };
  }
  return hasPod(node) ? { task: node.task } : { workflow: node.workflow };
}

/** The command that opens a gate, as part of a sentence. */
function howToOpen(run: string, node: StepNode, phase: StepPhase): string {
  if (phase !== 'Waiting' || !isAnswerable(node)) return '';
  if (node.gate.waitsFor === 'approval') return `; approve with: cdk8s-workflows approve ${run} ${node.name}`;
  return `; give it with: cdk8s-workflows answer ${run} ${node.name} <${describeType(node.outputs!.properties.value!)}>`;
}

const finalPhases: ReadonlySet<StepPhase> = new Set(['Succeeded', 'Failed', 'Skipped', 'Cancelled']);

function attemptView(run: RunJob['metadata'], node: StepNode, attempt: AttemptRecord, now: number): AttemptView {
  const { number, phase, reason, message, exitCode, startedAt, finishedAt } = attempt;
  const kind = node.kind === 'run' ? 'run' : hasPod(node) && node.runAs === 'Job' ? 'job' : 'pod';
  return {
    number,
    phase,
    reason,
    message,
    exitCode,
    object: `${kind}/${attemptNameOf(run, node, number)}`,
    startedAt: isoTime(startedAt),
    finishedAt: isoTime(finishedAt),
    durationSeconds: startedAt === undefined ? undefined : inSeconds((finishedAt ?? now) - startedAt),
  };
}

function stepDuration(step: StepRecord, now: number): number | undefined {
  const from = begunAt(step);
  return from === undefined ? undefined : (step.finishedAt ?? now) - from;
}

function isoTime(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(instant).toISOString();
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(Math.max(0, milliseconds) / 100) / 10;
}
