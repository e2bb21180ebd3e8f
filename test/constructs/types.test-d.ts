/** What the compiler refuses, so that nobody meets it on a cluster. Checked by `vitest --typecheck`, which runs tsc. */
import { Chart, Duration } from 'cdk8s';
import {
  all,
  and,
  any,
  ContainerTask,
  eq,
  failed,
  gt,
  kickoffTime,
  LaunchPlan,
  not,
  type Reference,
  Run,
  Step,
  type StepOverride,
  succeeded,
  TaskJob,
  Workflow,
  type WorkflowBuilder,
  z,
} from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';

const chart = new Chart(undefined as never, 'chart');
const extract = new ContainerTask(chart, 'extract', {
  image: 'etl',
  inputs: { site: z.string(), limit: z.int().optional() },
  outputs: { rows: z.int(), uri: z.string(), tags: z.array(z.string()), tier: z.enum(['hot', 'cold']) },
  args: ({ site, limit }) => ['--site', site, limit],
});
const load = new ContainerTask(chart, 'load', {
  image: 'etl',
  inputs: {
    uri: z.string(),
    mode: z.enum(['append', 'replace']).default('append'),
    tags: z.array(z.string()).optional(),
  },
});
const nothing = new ContainerTask(chart, 'nothing', { image: 'etl' });
const etl = new Workflow(
  chart,
  'etl',
  { inputs: { site: z.string(), day: z.string().default('today') } },
  ({ inputs, step }) => {
    const raw = step('extract', extract, { site: inputs.site });
    return { rows: raw.outputs.rows };
  },
);

type ValueOf<R> = R extends Reference<infer T, infer _Scope> ? T : never;

/** Runs `check` on the builder of a workflow with one string input. */
declare function build(check: <S>(workflow: WorkflowBuilder<{ site: z.ZodString; count: z.ZodInt }, S>) => void): void;

describe('how steps end', () => {
  test('is asked for by conditions in after', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      step('b', nothing).after(raw, any(succeeded(raw), not(failed(raw))));
      expectTypeOf<ValueOf<typeof raw.status.attempt>>().toEqualTypeOf<number>();
      expectTypeOf<ValueOf<typeof raw.status.phase>>().toEqualTypeOf<
        'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled'
      >();
      step('c', load, { uri: raw.status.message }).when(eq(raw.status.phase, 'Failed'));
    }));

  test('is no condition on values, and the other way round', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      // @ts-expect-error an end is no value
      step('b', nothing).when(failed(raw));
      // @ts-expect-error a value says nothing about an end
      step('c', nothing).after(gt(raw.outputs.rows, 0));
      // @ts-expect-error steps end, values do not
      failed(raw.outputs.rows);
      // @ts-expect-error there is no such end
      step('d', nothing).when(eq(raw.status.phase, 'Done'));
      // @ts-expect-error an attempt is a number
      step('e', load, { uri: raw.status.attempt });
      // @ts-expect-error `all` takes conditions of one kind
      all(failed(raw), gt(raw.outputs.rows, 0));
    }));

  test('of another workflow fits nowhere', () =>
    build(({ inputs, step }) => {
      const outer = step('a', extract, { site: inputs.site });
      new Workflow(chart, 'ends', {}, ({ step: innerStep }) => {
        // @ts-expect-error a step of the outer workflow
        innerStep('b', nothing).after(failed(outer));
      });
    }));
});

describe('inputs of a step', () => {
  test('take values, references and lists with references in them', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site, limit: 3 });
      step('b', load, { uri: raw.outputs.uri, tags: [raw.outputs.uri, 'fixed'] });
      step('c', load, { uri: 'memory://x', mode: 'replace', tags: raw.outputs.tags });
      step('d', nothing);
    }));

  test('are refused when one is missing', () =>
    build(({ step }) => {
      // @ts-expect-error uri is required
      step('b', load, { mode: 'append' });
      // @ts-expect-error inputs are required
      step('c', load);
    }));

  test('are refused when one is misspelt', () =>
    build(({ inputs, step }) => {
      // @ts-expect-error sites
      step('a', extract, { sites: inputs.site });
      // @ts-expect-error limits is not known
      step('b', extract, { site: inputs.site, limits: 3 });
      // @ts-expect-error the task has no inputs
      step('c', nothing, { site: inputs.site });
    }));

  test('are refused when a value has the wrong type', () =>
    build(({ step }) => {
      // @ts-expect-error a number for a string
      step('a', extract, { site: 3 });
      // @ts-expect-error not one of the enum's values
      step('b', load, { uri: '', mode: 'merge' });
    }));

  test('are refused when a reference has the wrong type', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      // @ts-expect-error rows is a number
      step('b', load, { uri: raw.outputs.rows });
      // @ts-expect-error tier is hot or cold, mode append or replace
      step('c', load, { uri: '', mode: raw.outputs.tier });
      // @ts-expect-error a list of numbers for a list of strings
      step('d', load, { uri: '', tags: [raw.outputs.rows] });
    }));
});

describe('references', () => {
  test('carry the type of the schema', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      void raw;
      expectTypeOf<ValueOf<typeof raw.outputs.rows>>().toEqualTypeOf<number>();
      expectTypeOf<ValueOf<typeof raw.outputs.tier>>().toEqualTypeOf<'hot' | 'cold'>();
    }));

  test('exist for declared outputs and inputs only', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      // @ts-expect-error row
      void raw.outputs.row;
      // @ts-expect-error town
      void inputs.town;
      // @ts-expect-error the task has no outputs
      void step('b', nothing).outputs.anything;
    }));

  test('do not fit into another workflow', () =>
    build(({ inputs, step }) => {
      const outer = step('a', extract, { site: inputs.site });
      new Workflow(chart, 'inner', {}, ({ step: innerStep }) => {
        // @ts-expect-error a value of the outer workflow
        innerStep('b', load, { uri: outer.outputs.uri });
        // @ts-expect-error an input of the outer workflow
        innerStep('c', extract, { site: inputs.site });
        // @ts-expect-error a step of the outer workflow
        innerStep('d', nothing).after(outer);
        // @ts-expect-error a condition on the outer workflow
        innerStep('e', nothing).when(gt(outer.outputs.rows, 0));
      });
    }));

  test('take a fallback of their own type', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      step('b', load, { uri: raw.outputs.uri.or('memory://none') });
      // @ts-expect-error a number for a string
      raw.outputs.uri.or(3);
    }));
});

describe('gates', () => {
  test('give what was answered, by its type', () =>
    build(({ approve, waitForInput, sleep, step }) => {
      const release = approve('a', { timeout: Duration.hours(1), default: 'deny' });
      const amount = waitForInput('b', z.enum(['few', 'many']));
      expectTypeOf<ValueOf<typeof release.outputs.approvedBy>>().toEqualTypeOf<string>();
      expectTypeOf<ValueOf<typeof amount.outputs.value>>().toEqualTypeOf<'few' | 'many'>();
      step('c', nothing).after(release, amount, sleep('d', Duration.seconds(1)));
      // @ts-expect-error a tier is no few or many
      waitForInput('e', z.enum(['few', 'many']), { default: 'hot' });
      // @ts-expect-error either way
      approve('f', { default: 'maybe' });
      // @ts-expect-error a sleep gives nothing
      void sleep('g', Duration.seconds(1)).outputs.value;
      // @ts-expect-error what runs nothing has no pod
      approve('h').override({ image: 'etl:2' });
    }));

  test('take times and values of their own workflow', () =>
    build(({ inputs, approve, sleep, waitUntil }) => {
      sleep('a', inputs.count);
      waitUntil('b', inputs.site);
      waitUntil('c', new Date());
      // @ts-expect-error seconds are a number
      sleep('d', inputs.site);
      // @ts-expect-error a plain number: of what?
      sleep('e', 90);
      // @ts-expect-error a time is text
      waitUntil('f', inputs.count);
      const outer = approve('g');
      new Workflow(chart, 'gated', {}, ({ step, approve: innerApprove }) => {
        // @ts-expect-error a gate of the outer workflow
        step('h', nothing).after(outer);
        // @ts-expect-error a value of the outer workflow
        innerApprove('i', { message: inputs.site });
      });
    }));
});

describe('conditions', () => {
  test('compare values of one type', () =>
    build(({ inputs, step }) => {
      const raw = step('a', extract, { site: inputs.site });
      step('b', nothing).when(and(gt(raw.outputs.rows, inputs.count), eq(raw.outputs.tier, 'hot')));
      // @ts-expect-error a string for a number
      gt(raw.outputs.rows, '0');
      // @ts-expect-error warm is no tier
      eq(raw.outputs.tier, 'warm');
      // @ts-expect-error lists have no order
      gt(raw.outputs.tags, raw.outputs.tags);
    }));
});

describe('overrides', () => {
  test('take the fields of a pod, null to remove one, and nothing else', () => {
    expectTypeOf<{
      podTemplate: { spec: { nodeSelector: { gpu: string }; tolerations: null } };
    }>().toExtend<StepOverride>();
    build(({ step }) => {
      step('a', nothing).override({ resources: { limits: { memory: '8Gi', 'nvidia.com/gpu': 1 } } });
      // @ts-expect-error nodeSelecter
      step('b', nothing).override({ podTemplate: { spec: { nodeSelecter: { gpu: 'a100' } } } });
      // @ts-expect-error a list for a map
      step('c', nothing).override({ podTemplate: { spec: { nodeSelector: ['a100'] } } });
      // @ts-expect-error tty is a field of a container
      step('d', nothing).override({ tty: true });
      // @ts-expect-error retry
      step('e', nothing).override({ retry: 3 });
    });
  });
});

describe('what is launched', () => {
  test('a plan takes inputs of its workflow only', () => {
    new LaunchPlan(chart, 'a', { workflow: etl, inputs: { day: 'monday' }, fixedInputs: { site: 'site-a' } });
    // @ts-expect-error sit
    new LaunchPlan(chart, 'b', { workflow: etl, inputs: { sit: 'site-a' } });
    // @ts-expect-error a number for a string
    new LaunchPlan(chart, 'c', { workflow: etl, fixedInputs: { site: 3 } });
    // @ts-expect-error a workflow or a task, not both
    new LaunchPlan(chart, 'd', { workflow: etl, task: extract });
    // @ts-expect-error Sometimes
    new LaunchPlan(chart, 'e', { workflow: etl, concurrencyPolicy: 'Sometimes' });
    // @ts-expect-error how many may wait
    new LaunchPlan(chart, 'f', { workflow: etl, concurrencyPolicy: { queue: 'all' } });
  });

  test('the kickoff time goes to inputs that are text', () => {
    const inputs = { at: z.iso.datetime(), site: z.string().default('a'), rows: z.int(), kind: z.enum(['a', 'b']) };
    const dated = new Workflow(chart, 'dated', { inputs }, () => ({}));
    new LaunchPlan(chart, 'a', { workflow: dated, inputs: { at: kickoffTime }, fixedInputs: { site: kickoffTime } });
    // @ts-expect-error a number
    new LaunchPlan(chart, 'b', { workflow: dated, inputs: { rows: kickoffTime } });
    // @ts-expect-error one of two words
    new LaunchPlan(chart, 'c', { workflow: dated, inputs: { kind: kickoffTime } });
  });

  test('a run and a single task need all of their inputs', () => {
    new Run(chart, 'a', { workflow: etl, inputs: { site: 'site-a' } });
    new TaskJob(chart, 'b', { task: nothing });
    // @ts-expect-error inputs are required
    new Run(chart, 'c', { workflow: etl });
    // @ts-expect-error uri is required
    new TaskJob(chart, 'd', { task: load, inputs: {} });
  });

  test('a task sees its declared inputs only', () => {
    new ContainerTask(chart, 'a', {
      image: 'etl',
      inputs: { site: z.string() },
      // @ts-expect-error town
      args: ({ town }) => [town],
    });
  });

  test('a workflow gives references only', () => {
    // @ts-expect-error a plain value
    new Workflow(chart, 'a', {}, () => ({ rows: 3 }));
    expectTypeOf(etl.outputTypes).toEqualTypeOf<{ rows: number } | undefined>();
  });

  test('steps as constructs are as typed', () => {
    new Step(etl, 'b', { task: load, inputs: { uri: '' } });
    // @ts-expect-error uri is required
    new Step(etl, 'c', { task: load, inputs: {} });
  });
});

test('ignored inputs of a cache are inputs of the task', () => {
  const inputs = { site: z.string(), verbose: z.boolean() };
  new ContainerTask(chart, 'a', { image: 'a', inputs, cache: { version: '1', ignoreInputs: ['verbose'] } });
  // @ts-expect-error -- there is no such input
  new ContainerTask(chart, 'b', { image: 'a', inputs, cache: { version: '1', ignoreInputs: ['verbos'] } });
  // @ts-expect-error -- without a version nobody could make a step run again
  new ContainerTask(chart, 'd', { image: 'a', inputs, cache: {} });
  // @ts-expect-error -- a cache has a version
  new ContainerTask(chart, 'e', { image: 'a', inputs, cache: true });
});
