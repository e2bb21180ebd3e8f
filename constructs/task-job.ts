import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Shape } from '../lib/values/shape.ts';
import { reportProblems } from './problems.ts';
import { SingleTask, type SingleTaskProps } from './single-task.ts';
import { taskJob, taskLabels } from './task-template.ts';
import { checkObject } from './validate-manifests.ts';

export type TaskJobProps<I extends Shape> = SingleTaskProps<I>;

/**
 * One task as a plain Job: it needs no controller. Retries and timeouts become the Job's `backoffLimit` and deadlines;
 * Kubernetes decides how long it waits between attempts.
 */
export class TaskJob<I extends Shape> extends SingleTask<I> {
  constructor(scope: Construct, id: string, props: TaskJobProps<I>) {
    super(scope, id, 'Job', props);
    const { task, override } = props;
    const pod = this.podTemplate('Job', override);
    if (pod === undefined) return;
    const { metadata, spec, problems } = taskJob(this, task, {
      template: pod.template,
      inputs: this.inputs,
      override: override ?? {},
      kind: 'step override',
    });
    reportProblems(this, () => problems);
    const object = new ApiObject(this, 'Job', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: this.name,
        labels: { ...metadata?.labels, ...taskLabels(task) },
        ...(metadata?.annotations && { annotations: { ...metadata.annotations } }),
      },
      spec,
    });
    checkObject(object, this, { origins: () => pod.origins });
  }
}
