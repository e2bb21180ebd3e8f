import { untouched } from '../engine/phases.ts';
import type { StepPhase } from '../engine/record.ts';
import { labels } from '../graph/labels.ts';
import type { RunState } from '../runs/run-state.ts';
import { inputsOf, summaryOf, type RunSummary } from '../runs/run-summary.ts';
import type { JsonObject } from '../values/json.ts';

/** A step of a run. */
export interface StepInfo {
  readonly name: string;
  readonly phase: StepPhase;
  /** One word, such as `Completed`. */
  readonly reason: string;
  readonly message?: string;
  readonly outputs?: JsonObject;
}

/** A run as it stands. Times are ISO 8601. */
export interface RunInfo<O extends object = JsonObject> extends RunSummary {
  /** Of its workflow; none of a single task. */
  readonly version?: string;
  readonly inputs: JsonObject;
  /** When it has succeeded. */
  readonly outputs?: O;
  /** In the order of the graph; none before a controller has taken it, and none of a single task. */
  readonly steps: readonly StepInfo[];
}

/** Puts together what is known of a run. */
export function runInfo<O extends object>({ job, graph, record }: RunState): RunInfo<O> {
  const steps = record === undefined ? [] : (graph?.steps ?? []);
  return {
    ...summaryOf(job),
    version: job.metadata.labels?.[labels.version],
    inputs: inputsOf(job.metadata),
    outputs: record?.run.outputs as O | undefined,
    steps: steps.map(({ name }) => {
      const { phase, reason, message, outputs } = record!.steps.get(name) ?? untouched;
      return { name, phase, reason, ...(message !== undefined && { message }), ...(outputs && { outputs }) };
    }),
  };
}
