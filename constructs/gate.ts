import type { Duration } from 'cdk8s';
import { z } from 'zod';
import type { GateStep } from '../lib/graph/graph.ts';
import type { Json } from '../lib/values/json.ts';
import type { Problem } from '../lib/values/problems.ts';
import { Reference } from '../lib/values/reference.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import { toObjectSchema, type NoValues, type Shape } from '../lib/values/shape.ts';
import { seconds } from './settings.ts';
import { references, toSource } from './sources.ts';
import { StepBase } from './step-base.ts';
import type { AnyWorkflow } from './workflow.ts';

/** What gates of all kinds take. `Default` is what may take the place of what they wait for. */
export interface GateProps<Default> {
  /** From when it began to wait; then it takes its default, or fails when it has none. @default none: it waits as long as the run may */
  readonly timeout?: Duration;
  /** What happens after the timeout. @default it fails (`GateTimeout`) */
  readonly default?: Default;
  /** The run goes on, and may succeed, when this fails. @default false */
  readonly continueOnFailure?: boolean;
}

/** Of a gate that somebody opens. */
export interface AnswerProps<Default, Scope> extends GateProps<Default> {
  /** What the one who answers is to know. @default nothing */
  readonly message?: string | Reference<string, Scope>;
}

/** What an approval gives: who approved, by their own word, and when, in ISO 8601. */
export type ApprovalOutputs = Readonly<Record<'approvedBy' | 'approvedAt', z.ZodString>>;

/** The gates that a workflow's function can add. None of them runs a pod, or counts for the run's parallelism. */
export interface GateBuilder<Scope> {
  /**
   * Waits until somebody approves: on a cluster with `cdk8s-workflows approve <run> <step>` or an annotation. If it is
   * denied, the step fails (`ApprovalDenied`).
   *
   * @example
   * const release = approve('release', { message: 'Release to production?', timeout: Duration.days(1), default: 'deny' });
   * step('deploy', deploy, { by: release.outputs.approvedBy });
   */
  readonly approve: (id: string, props?: AnswerProps<'approve' | 'deny', Scope>) => Gate<ApprovalOutputs, Scope>;
  /**
   * Waits until somebody gives a value that fits the schema: on a cluster with `cdk8s-workflows answer <run> <step> <value>` or
   * an annotation. What does not fit is refused, and the gate goes on waiting.
   *
   * @example
   * const amount = waitForInput('amount', z.int().min(1), { timeout: Duration.hours(1), default: 10 });
   * step('order', order, { amount: amount.outputs.value });
   */
  readonly waitForInput: <T extends z.ZodType>(
    id: string,
    schema: T,
    props?: AnswerProps<z.output<NoInfer<T>>, Scope>,
  ) => Gate<{ readonly value: T }, Scope>;
  /** Waits so long, or so many seconds, from when the steps before it are done. A suspended run sleeps on. */
  readonly sleep: (
    id: string,
    time: Duration | Reference<number, Scope>,
    props?: GateProps<'continue'>,
  ) => Gate<NoValues, Scope>;
  /** Waits until a time: a date, or text in ISO 8601 with its zone. If it has passed, nothing is waited for. */
  readonly waitUntil: (
    id: string,
    time: Date | string | Reference<string, Scope>,
    props?: GateProps<'continue'>,
  ) => Gate<NoValues, Scope>;
}

/** What a gate waits for, where values may be references. */
type GateWait =
  | { readonly waitsFor: 'approval' | 'input'; readonly message?: unknown }
  | { readonly waitsFor: 'sleep'; readonly seconds: unknown }
  | { readonly waitsFor: 'time'; readonly until: unknown };

/** A step that waits for somebody or for a time. Made by a workflow's `approve`, `waitForInput`, `sleep` and `waitUntil`. */
export class Gate<O extends Shape, Scope> extends StepBase<O, Scope> {
  readonly #wait: GateWait;
  readonly #props: GateProps<unknown>;
  readonly #outputs: ObjectSchema;
  readonly #schemaProblems: readonly Problem[];

  /** @internal */
  constructor(workflow: AnyWorkflow, id: string, wait: GateWait, outputs: O, props: GateProps<unknown>) {
    const problems: Problem[] = [];
    const schema = toObjectSchema(outputs, 'output', 'outputs', problems);
    super(workflow, id, schema);
    this.#wait = wait;
    this.#props = props;
    this.#outputs = schema;
    this.#schemaProblems = problems;
  }

  /** @internal */
  toNode(): GateStep {
    const { timeout, default: fallback, continueOnFailure } = this.#props;
    const { waitsFor, ...values } = this.#wait;
    const sources = Object.entries(values).map(([name, value]) => [name, toSource(value, this.workflow)]);
    return {
      kind: 'gate',
      ...this.common(),
      gate: {
        waitsFor,
        ...Object.fromEntries(sources),
        ...(fallback !== undefined && { default: fallback as Json }),
      } as GateStep['gate'],
      ...(Object.keys(this.#outputs.properties).length > 0 && { outputs: this.#outputs }),
      ...(timeout && { timeoutSeconds: seconds(timeout) }),
      ...(continueOnFailure && { continueOnFailure }),
    };
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    yield* this.#schemaProblems;
    const { waitsFor: _, ...values } = this.#wait;
    for (const [name, value] of Object.entries(values))
      for (const reference of references(value)) yield* this.foreign(reference, name);
  }
}

/** @internal The functions that add gates to a workflow. */
export function gateBuilder<Scope>(workflow: AnyWorkflow): GateBuilder<Scope> {
  return {
    approve: (id, { message, ...props } = {}) => {
      const outputs = { approvedBy: z.string(), approvedAt: z.string() };
      return new Gate(
        workflow,
        id,
        { waitsFor: 'approval', ...(message !== undefined && { message }) },
        outputs,
        props,
      );
    },
    waitForInput: (id, schema, { message, ...props } = {}) => {
      const wait = { waitsFor: 'input', ...(message !== undefined && { message }) } as const;
      return new Gate(workflow, id, wait, { value: schema }, props);
    },
    sleep: (id, time, props = {}) => {
      const given = time instanceof Reference ? time : time.toMilliseconds() / 1000;
      return new Gate(workflow, id, { waitsFor: 'sleep', seconds: given }, {}, props);
    },
    waitUntil: (id, time, props = {}) => {
      const until = time instanceof Date ? dateText(time) : time;
      return new Gate(workflow, id, { waitsFor: 'time', until }, {}, props);
    },
  };
}

/** A date that is none is reported with all else that is wrong. */
function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? String(date) : date.toISOString();
}
