import type { Answer } from '../../lib/engine/answers.ts';
import type { RunRecord } from '../../lib/engine/record.ts';
import { taskSteps, type Graph } from '../../lib/graph/graph.ts';
import type { CancelMode } from '../../lib/graph/labels.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { graphOf, type GraphSketch, type StepSketch } from '../engine/scenario.ts';

/** What a container does in one attempt. */
export interface Doing {
  /** @default 0 */
  readonly exit?: number;
  /** What it writes as its outputs. A text is written as it is. @default nothing */
  readonly outputs?: JsonObject | string;
  /** Outputs that are inputs passed on as they are, but for strings: the input by output. */
  readonly passes?: Readonly<Record<string, string>>;
  /** How long it takes. @default no time */
  readonly seconds?: number;
}

/** What is asked of a run while it runs. */
export interface Asked {
  /** A step and the reason that it has come to, such as `load: ContainerRunning`. */
  readonly once: string;
  readonly cancel?: CancelMode;
  /** By gate. */
  readonly answers?: Readonly<Record<string, Answer>>;
}

/** A run, what happens in it, and how it must end wherever it runs. */
export interface Scenario {
  readonly name: string;
  readonly steps: Readonly<Record<string, StepSketch>>;
  readonly graph?: GraphSketch;
  /** By step or item: what its container does, one for each attempt, of which the last repeats. @default it ends at once, and well */
  readonly does?: Readonly<Record<string, Doing | readonly Doing[]>>;
  readonly inputs?: JsonObject;
  /** @default 10 */
  readonly parallelism?: number;
  readonly timeoutSeconds?: number;
  /** What is said to gates before the run begins. */
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly asked?: Asked;
  /** The run's end as phase and reason. */
  readonly run: string;
  /** What the run gives. @default nothing */
  readonly gives?: JsonObject;
  /** The ends of all steps, and of items, as phase and reason. */
  readonly ends: Readonly<Record<string, string>>;
  /** The reasons of attempts that ended, for steps of which they tell something. */
  readonly attempts?: Readonly<Record<string, readonly string[]>>;
}

/** What is looked at of a run that has ended. */
export type Outcome = Pick<Scenario, 'run' | 'gives' | 'ends' | 'attempts'>;

/** What a scenario says of its end. */
export function expected({ run, gives, ends, attempts = {} }: Scenario): Outcome {
  return { run, ends, attempts, ...(gives && { gives }) };
}

/** The same of a record. */
export function outcomeOf({ run, steps, items = new Map() }: RunRecord, scenario: Scenario): Outcome {
  const records = new Map(steps);
  for (const [map, ofMap] of items)
    for (const [item, record] of ofMap.entries()) if (record) records.set(`${map}-${item}`, record);
  const ends = Object.fromEntries([...records].map(([name, { phase, reason }]) => [name, `${phase}/${reason}`]));
  const attempts = Object.keys(scenario.attempts ?? {}).map((name) => [
    name,
    records.get(name)?.attempts.map(({ reason }) => reason),
  ]);
  const gives = run.outputs !== undefined && Object.keys(run.outputs).length > 0 ? run.outputs : undefined;
  return {
    run: `${run.phase}/${run.reason}`,
    ends,
    attempts: Object.fromEntries(attempts) as Record<string, readonly string[]>,
    ...(gives && { gives }),
  };
}

/** The scenario's graph; templates are named `<workflow>-<step>`. */
export function graphOfScenario({ steps, graph }: Scenario, workflow: string): Graph {
  const made = graphOf(steps, { ...graph, workflow });
  return {
    ...made,
    steps: made.steps.map((step) => (step.kind === 'gate' ? step : { ...step, template: `${workflow}-${step.name}` })),
  };
}

/** The names of the templates of a graph. */
export function templateNames(graph: Graph): readonly string[] {
  return taskSteps(graph).map(({ template }) => template);
}

/** What a container does in an attempt at a step or item. */
export function doingOf({ does = {} }: Scenario, step: string, attempt: number): Doing {
  const doing = does[step] ?? {};
  const each = (Array.isArray(doing) ? doing : [doing]) as readonly Doing[];
  return each[Math.min(attempt, each.length) - 1] ?? {};
}
