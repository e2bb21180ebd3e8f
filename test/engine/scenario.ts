import {
  GRAPH_API_VERSION,
  serviceOutputs,
  type BeginStep,
  type Gate,
  type GateStep,
  type Graph,
  type GroupStep,
  type IndexedMapStep,
  type MapStep,
  type RunStep,
  type ServiceStep,
  type StepNode,
  type TaskStep,
} from '../../lib/graph/graph.ts';
import { topology, type Topology } from '../../lib/graph/topology.ts';
import type { AttemptState, Command, Decision, Observation, RunSpec } from '../../lib/engine/advance.ts';
import type { FailureKind, Instant } from '../../lib/engine/record.ts';
import type { StepReason } from '../../lib/engine/reasons.ts';
import { Run } from '../../lib/engine/run.ts';
import type { Json } from '../../lib/values/json.ts';
import type { ObjectSchema } from '../../lib/values/schema.ts';

export type StepSketch =
  | Partial<Omit<TaskStep, 'kind' | 'name'>>
  | (Partial<Omit<MapStep, 'kind' | 'name'>> & { readonly kind: 'map' })
  | (Partial<Omit<IndexedMapStep, 'kind' | 'name'>> & { readonly kind: 'indexedMap' })
  | (Partial<Omit<ServiceStep, 'kind' | 'name'>> & { readonly kind: 'service' })
  | Omit<GateStep, 'name'>
  | Omit<RunStep, 'name'>
  | Omit<BeginStep, 'name'>
  | Omit<GroupStep, 'name'>;
export type GraphSketch = Partial<Omit<Graph, 'steps' | 'apiVersion'>>;

/** A graph in a few lines: steps by name, in order. */
export function graphOf(steps: Readonly<Record<string, StepSketch>>, more: GraphSketch = {}): Graph {
  return {
    apiVersion: GRAPH_API_VERSION,
    workflow: 'test',
    inputs: { properties: {}, required: [] },
    outputs: {},
    failurePolicy: 'FinishRunning',
    ...more,
    steps: Object.entries(steps).map(([name, step]): StepNode => {
      if ('kind' in step && step.kind !== 'map' && step.kind !== 'indexedMap' && step.kind !== 'service')
        return { name, ...step };
      const runAs = 'kind' in step && step.kind === 'indexedMap' && { runAs: 'Job' as const };
      const outputs = 'kind' in step && step.kind === 'service' && { outputs: serviceOutputs };
      const task = { task: name, template: `${name}-template`, inputs: {}, ...runAs, ...outputs };
      return { kind: 'task', name, ...task, ...(step as Partial<TaskStep>) };
    }),
  };
}

/** A gate, as a sketch. */
export const gateSketch = (gate: Gate, more: Partial<Omit<GateStep, 'kind' | 'name'>> = {}): StepSketch => ({
  kind: 'gate',
  ...(gate.waitsFor === 'approval' && { outputs: approvalOutputs }),
  ...more,
  gate,
});

const text = { type: 'string' };
const approvalOutputs: ObjectSchema = {
  properties: { approvedBy: text, approvedAt: text },
  required: ['approvedBy', 'approvedAt'],
};

/** A service, as a sketch. */
export const service: StepSketch = { kind: 'service' };

/** The host of a service, for those that depend on it. */
export const hostOf = (step: string, fallback?: Json) =>
  ({ step, output: 'host', ...(fallback !== undefined && { default: fallback }) }) as const;

/** A schema of one required integer and one optional text, for steps that pass data on. */
export const rowsSchema: ObjectSchema = {
  properties: { rows: { type: 'integer' }, note: { type: 'string' } },
  required: ['rows'],
};

/** Steps of which each passes `rows`. */
export const withRows: StepSketch = { outputs: rowsSchema };

export const rowsOf = (step: string, fallback?: Json) =>
  ({ step, output: 'rows', ...(fallback !== undefined && { default: fallback }) }) as const;

/** The beginning of every scenario's time: 2025-01-01. */
export const T0: Instant = Date.UTC(2025, 0, 1);

export interface FailureSketch {
  readonly failure?: FailureKind;
  readonly reason?: StepReason;
  readonly exitCode?: number;
  readonly message?: string;
}

/** A run that is told, line by line, what happens to it. */
export class Scenario {
  readonly topology: Topology;
  run: Run;
  now = T0;
  spec: RunSpec;
  commands: Command[] = [];
  decision: Decision | undefined;

  constructor(graph: Graph, spec: Partial<RunSpec> = {}) {
    this.topology = topology(graph);
    this.spec = { name: 'run', inputs: {}, parallelism: 100, ...spec };
    this.run = new Run(this.topology, this.spec);
  }

  /** Tells the run; what it commands is collected in {@link commands}, as of this call only. */
  tell(...observations: readonly Observation[]): this {
    this.decision = this.run.advance(this.now, observations, this.spec);
    this.commands = [...this.decision.commands];
    return this;
  }

  see(step: string, state: AttemptState, attempt = this.run.step(step).attempts.at(-1)?.number ?? 1): this {
    return this.tell({ step, attempt, state });
  }

  pending(step: string, message?: string): this {
    return this.see(step, { kind: 'pending', message });
  }

  runs(step: string): this {
    return this.see(step, { kind: 'running', startedAt: this.now });
  }

  /** A service has come up. */
  serves(step: string, host = '10.0.0.1'): this {
    return this.see(step, { kind: 'running', startedAt: this.now, host });
  }

  succeed(step: string, outputs?: Json): this {
    const text = outputs === undefined ? undefined : { text: JSON.stringify(outputs) };
    return this.see(step, { kind: 'succeeded', finishedAt: this.now, outputs: text });
  }

  fail(step: string, { failure = 'user', reason = 'ExitCode', exitCode = 1, message }: FailureSketch = {}): this {
    return this.see(step, { kind: 'failed', finishedAt: this.now, failure, reason, exitCode, message });
  }

  after(seconds: number): this {
    this.now += seconds * 1000;
    return this.tell();
  }

  ask(change: Partial<RunSpec>): this {
    this.spec = { ...this.spec, ...change };
    return this.tell();
  }

  /** `{ a: 'Succeeded/Completed', b: 'Skipped/WhenFalse' }` */
  phases(): Record<string, string> {
    return Object.fromEntries(this.topology.steps.map(({ node }) => [node.name, this.phase(node.name)]));
  }

  phase(step: string): string {
    const { phase, reason } = this.run.step(step);
    return `${phase}/${reason}`;
  }

  get end(): string {
    return `${this.run.state.phase}/${this.run.state.reason}`;
  }

  /** `start a 1`, `stop b 2 StepTimeout` */
  get asked(): string[] {
    return this.commands.map((command) => {
      if (command.kind === 'lookup' || command.kind === 'keep') return `${command.kind} ${command.step}`;
      const what = `${command.kind} ${command.step} ${command.attempt}`;
      return command.kind === 'stop' ? `${what} ${command.reason}` : what;
    });
  }
}

/** The run of a graph, told to begin. */
export function begin(graph: Graph, spec: Partial<RunSpec> = {}): Scenario {
  return new Scenario(graph, spec).tell();
}
