import { type Chart } from 'cdk8s';
import { ContainerTask, LaunchPlan, TaskJob, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import { describe, test } from 'vitest';

declare const chart: Chart;
const task = new ContainerTask(chart, 'task', { image: 'image', outputs: { size: z.string(), rows: z.int() } });

const inputs = {
  text: z.string(),
  optional: z.string().optional(),
  count: z.int(),
  yes: z.boolean(),
  texts: z.array(z.string()),
};

/** Runs `check` on the builder of a workflow with such inputs. */
declare function build(check: <S>(workflow: WorkflowBuilder<typeof inputs, S>) => void): void;

describe('values of a workflow', () => {
  test('fit into the pods of its steps, where their types do', () =>
    build(({ inputs: { text, optional, count, yes, texts }, step }) => {
      const { outputs } = step('measure', task);
      step('a', task).override({
        image: text,
        resources: { limits: { memory: outputs.size, cpu: count } },
        gpu: { model: optional, count },
        sharedMemory: optional,
        nodeSelector: { gpu: text, zone: null },
        tolerations: [{ key: text, operator: 'Exists' }],
        priorityClass: text,
        serviceAccount: text,
        labels: { team: text },
        // A variable holds whatever a value is.
        env: { TEXTS: texts, ROWS: outputs.rows, YES: yes },
        podTemplate: {
          spec: { hostNetwork: yes, activeDeadlineSeconds: count, hostname: () => 'name' },
          metadata: { annotations: { note: text } },
        },
      });
      // @ts-expect-error -- a number is no image
      step('b', task).override({ image: count });
      // @ts-expect-error -- nor is a list
      step('c', task).override({ image: texts });
      // @ts-expect-error -- labels are text
      step('d', task).override({ nodeSelector: { gpu: count } });
      // @ts-expect-error -- how many
      step('e', task).override({ gpu: { count: text } });
      // @ts-expect-error -- an amount is text or a number
      step('f', task).override({ resources: { limits: { memory: yes } } });
      // @ts-expect-error -- yes or no
      step('g', task).override({ podTemplate: { spec: { hostNetwork: text } } });
      // @ts-expect-error -- the names of labels are known
      step('h', task).override({ nodeSelector: text });
      // @ts-expect-error -- so is how many attempts there are
      step('i', task).override({ retries: count });
      // @ts-expect-error -- an input that is a list is no list of inputs
      step('j', task).override({ podTemplate: { spec: { tolerations: texts } } });
    }));

  test('fit into the Jobs of its steps, where their types do', () =>
    build(({ inputs: { text, optional, count, yes }, step }) => {
      const { outputs } = step('measure', task);
      step('a', task).override({
        runAs: 'Job',
        job: {
          metadata: { labels: { queue: text }, annotations: { note: optional } },
          spec: {
            parallelism: count,
            completions: outputs.rows,
            suspend: yes,
            podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [count, 1] } }] },
          },
        },
      });
      // @ts-expect-error -- how many
      step('b', task).override({ job: { spec: { parallelism: text } } });
      // @ts-expect-error -- labels are text
      step('c', task).override({ job: { metadata: { labels: { queue: count } } } });
      // @ts-expect-error -- retries are the step's, from an input or not
      step('d', task).override({ job: { spec: { backoffLimit: count } } });
    }));

  test('do not fit into other workflows, nor into what is launched', () =>
    build(({ inputs: { text } }) => {
      new Workflow(chart, 'inner', {}, ({ step }) => {
        // @ts-expect-error -- an input of the outer workflow
        step('a', task).override({ image: text });
        // @ts-expect-error -- the same in a template
        step('b', task).override({ podTemplate: { spec: { hostname: text } } });
        // @ts-expect-error -- and in a Job
        step('c', task).override({ job: { metadata: { labels: { queue: text } } } });
      });
      // @ts-expect-error -- a task has inputs of its own
      new ContainerTask(chart, 'b', { image: text });
      // @ts-expect-error -- of no workflow
      new TaskJob(chart, 'c', { task, override: { image: text } });
      // @ts-expect-error -- nothing is known yet
      new LaunchPlan(chart, 'd', { task, podTemplate: { spec: { hostname: text } } });
    }));
});

describe('inputs of a task', () => {
  test('fit into its own settings', () => {
    new ContainerTask(chart, 'a', {
      image: ({ version }) => version,
      inputs: { version: z.string(), memory: z.string().optional(), count: z.int() },
      resources: ({ memory, count }) => ({ limits: { memory, cpu: count }, requests: { cpu: 1 } }),
      gpu: ({ count }) => ({ count }),
      podTemplate: ({ version }) => ({ metadata: { labels: { version } } }),
      job: ({ version, count }) => ({ metadata: { labels: { version } }, spec: { parallelism: count } }),
    });
    new ContainerTask(chart, 'b', {
      // @ts-expect-error -- a number is no image
      image: ({ count }) => count,
      inputs: { count: z.int() },
      // @ts-expect-error -- no such input
      nodeSelector: ({ gpu }) => ({ gpu }),
      // @ts-expect-error -- labels are text
      labels: ({ count }) => ({ count }),
      // @ts-expect-error -- a number is no label of a Job either
      job: ({ count }) => ({ metadata: { labels: { count } } }),
    });
  });
});
