import { Duration } from 'cdk8s';
import { ContainerTask, Workflow, z } from 'cdk8s-workflows';
import type { Construct } from 'constructs';

/** A task, and a workflow of no other step. */
export function etl(scope: Construct) {
  const task = new ContainerTask(scope, 'extract', {
    image: 'etl:1',
    inputs: { site: z.string(), limit: z.int().default(10) },
    outputs: { rows: z.int() },
    command: ['etl'],
    retries: { limit: 2 },
    attemptTimeout: Duration.minutes(1),
    timeout: Duration.minutes(5),
  });
  const workflow = new Workflow(
    scope,
    'etl',
    { inputs: { site: z.string(), day: z.string().default('today') } },
    ({ inputs, step }) => {
      step('extract', task, { site: inputs.site });
    },
  );
  return { task, workflow };
}
