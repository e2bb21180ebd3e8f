import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Shape } from '../lib/values/shape.ts';
import { SingleTask, type SingleTaskProps } from './single-task.ts';
import { checkObject } from './validate-manifests.ts';

export type TaskPodProps<I extends Shape> = SingleTaskProps<I>;

/** One task as a plain Pod: run once, without retries. It needs no controller. */
export class TaskPod<I extends Shape> extends SingleTask<I> {
  constructor(scope: Construct, id: string, props: TaskPodProps<I>) {
    super(scope, id, 'Pod', props);
    const merged = this.podTemplate('Pod', props.override);
    if (merged === undefined) return;
    const { metadata, spec } = merged.template;
    const pod = new ApiObject(this, 'Pod', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: this.name, labels: metadata?.labels, annotations: metadata?.annotations },
      spec,
    });
    checkObject(pod, this, { origins: () => merged.origins });
  }
}
