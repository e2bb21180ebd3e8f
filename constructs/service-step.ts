import type { V1Probe } from '@kubernetes/client-node/dist/gen/models/V1Probe.js';
import type { z } from 'zod';
import { serviceOutputs, type ServiceStep as ServiceNode } from '../lib/graph/graph.ts';
import { inMain } from '../lib/pods/settings/container.ts';
import { MAIN_CONTAINER, type Override } from '../lib/pods/template.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { Reference } from '../lib/values/reference.ts';
import type { NoValues, Shape } from '../lib/values/shape.ts';
import { TaskUse, type GivenInputs } from './task-use.ts';
import type { Task } from './task.ts';
import type { AnyWorkflow } from './workflow.ts';

export interface ServiceOptions {
  /**
   * How Kubernetes, or `run --local`, finds out that the main container is ready; merged over that of the task's pod. There must
   * be one: without, Kubernetes takes a container for ready that has just started. @default what the task's pod says
   */
  readonly readinessProbe?: Override<V1Probe>;
}

export interface ServiceStepProps<I extends Shape, Scope> {
  /** What stays up. It has no outputs: it is stopped before it could give any. */
  readonly task: Task<I, NoValues>;
  readonly inputs: GivenInputs<I, Scope>;
  readonly options?: ServiceOptions;
}

/**
 * A step that stays up while the steps that depend on it run, such as a database for tests: they start once it is ready, and it is
 * stopped when they have ended. `step.service('db', postgres, { ... })` in a workflow's function is the short way to it.
 */
export class ServiceStep<I extends Shape, Scope> extends TaskUse<{ readonly host: z.ZodString }, Scope> {
  declare readonly inputTypes?: I;

  constructor(workflow: AnyWorkflow, id: string, { task, inputs, options = {} }: ServiceStepProps<I, Scope>) {
    const given = inputs as Readonly<Record<string, unknown>>;
    super(workflow, id, { task: task as never, inputs: given, outputs: serviceOutputs });
    const { readinessProbe } = options;
    if (readinessProbe !== undefined) this.override({ podTemplate: inMain({ readinessProbe }) });
  }

  /** Where it is reached: the address of its pod, on this machine `127.0.0.1`. A step that takes it depends on the service. */
  get host(): Reference<string, Scope> {
    return this.outputs.host;
  }

  /** @internal */
  toNode(): ServiceNode {
    // What a service cannot have is told with all that is wrong with the graph.
    return { ...this.fields(), kind: 'service', outputs: serviceOutputs } as ServiceNode;
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    if (this.nodeProblems.length > 0) return;
    const main = this.podTemplate.spec?.containers.find(({ name }) => name === MAIN_CONTAINER);
    if (main?.readinessProbe !== undefined || JSON.stringify(this.toNode().pod ?? '').includes('"readinessProbe"'))
      return;
    const port = main?.ports?.[0]?.containerPort ?? 5432;
    yield {
      path: 'readinessProbe',
      message: 'is missing, so that nothing tells when the service is ready',
      fix: `give it one, such as { tcpSocket: { port: ${port} } }`,
    };
  }
}
