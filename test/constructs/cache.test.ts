import { Chart, Duration } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  Workflow,
  z,
  type Cache,
  type ExecutionSettings,
  type StepOverride,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CachePolicy } from '../../lib/graph/cache.ts';
import type { TaskStep } from '../../lib/graph/graph.ts';
import { resultKey } from '../../lib/pods/deciding-part.ts';
import { find, synth, synthProblems } from './support.ts';

interface Settings {
  readonly cache?: Cache<'site' | 'day'> | false;
  readonly name?: string;
  readonly image?: string;
  readonly env?: Record<string, string>;
  readonly more?: ExecutionSettings;
  readonly outputs?: Record<string, z.ZodType>;
  readonly override?: StepOverride;
}

const define =
  ({ cache = { version: '1' }, name, image = 'train:1', env, more, outputs, override }: Settings) =>
  (scope: Construct): void => {
    const task = new ContainerTask(scope, 'train', {
      image,
      name,
      inputs: { site: z.string(), day: z.string() },
      args: ({ site }) => [site],
      env,
      outputs,
      ...more,
      cache,
    });
    new Workflow(scope, 'w', { inputs: { day: z.string() } }, ({ inputs, step }) => {
      const train = step('train', task, { site: 'a', day: inputs.day });
      if (override) train.override(override);
    });
  };
const stepOf = (settings: Settings): TaskStep => {
  const graph = JSON.parse(find(synth(define(settings)), 'ConfigMap').data['graph.json']) as {
    readonly steps: readonly TaskStep[];
  };
  return graph.steps[0]!;
};
const policyOf = (settings: Settings): CachePolicy => stepOf(settings).cache!;

describe('the cache of a step', () => {
  it('is in the graph as a hash of what is known, with what a run must know', () => {
    const cache = { version: '1', ttl: Duration.days(1), ignoreInputs: ['day'] } as const;
    expect(policyOf({ cache })).toEqual({
      key: expect.stringMatching(/^[0-9a-f]{40}$/),
      ttlSeconds: 86_400,
      ignoreInputs: ['day'],
    });
    expect(stepOf({ cache: false })).not.toHaveProperty('cache');
  });

  it.each<[string, Settings]>([
    ['the version', { cache: { version: '2' } }],
    ['the task', { name: 'other' }],
    ['the image', { image: 'train:2' }],
    ['the environment', { env: { MODE: 'fast' } }],
    ['the outputs', { outputs: { rows: z.int() } }],
    ['the image that the step overrides', { override: { image: 'train:2' } }],
    ['a variable of the step', { override: { env: { MODE: 'fast' } } }],
  ])('does not take a result after a change of %s', (_, settings) => {
    expect(policyOf(settings).key).not.toBe(policyOf({}).key);
  });

  it.each<[string, Settings]>([
    ['resources', { more: { resources: { limits: { memory: '8Gi' } } } }],
    ['the node', { override: { nodeSelector: { gpu: 'a100' } } }],
    ['retries and timeouts', { more: { retries: 3, attemptTimeout: Duration.minutes(1) } }],
    ['a sidecar', { override: { podTemplate: { spec: { containers: [{ name: 'log', image: 'log:1' }] } } } }],
    ['the age allowed', { cache: { version: '1', ttl: Duration.days(1) } }],
    ['labels', { override: { labels: { team: 'ml' } } }],
  ])('takes one after a change of %s', (_, settings) => {
    expect(policyOf(settings).key).toBe(policyOf({}).key);
  });

  it('is the same on every cluster, whatever its defaults and its policy add', () => {
    const out = mkdtempSync(join(tmpdir(), 'cache-'));
    onTestFinished(() => rmSync(out, { recursive: true }));
    const podDefaults = { spec: { containers: [{ name: 'main', env: [{ name: 'PROXY', value: 'p' }] }] } };
    new Fleet({ clusters: [{ name: 'a' }, { name: 'b', podDefaults }], outdir: out }, (app) =>
      define({})(new Chart(app, 'chart')),
    ).synth();
    const graphs = ['a', 'b'].map((cluster) =>
      readdirSync(join(out, cluster))
        .map((file) => readFileSync(join(out, cluster, file), 'utf8'))
        .join(),
    );
    const keys = graphs.map((text) => /\\?"key\\?":\\?"([0-9a-f]{40})/.exec(text)?.[1]);
    expect(keys[0]).toMatch(/^[0-9a-f]{40}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('counts what an override takes of the run, and not where its task takes an input', () => {
    const content = (): CachePolicy => {
      const manifests = synth((scope) => {
        const task = new ContainerTask(scope, 'train', {
          image: 'train:1',
          inputs: { site: z.string() },
          env: ({ site }) => ({ SITE: site }),
          cache: { version: '1' },
        });
        new Workflow(scope, 'w', { inputs: { day: z.string() } }, ({ inputs, step }) => {
          step('train', task, { site: inputs.day }).override({ env: { DAY: inputs.day } });
        });
      });
      const graph = JSON.parse(find(manifests, 'ConfigMap').data['graph.json']) as { readonly steps: TaskStep[] };
      return graph.steps[0]!.cache!;
    };
    expect(JSON.stringify(content().content)).toContain('{"input":"day"}');
    expect(JSON.stringify(content().content)).not.toContain('SITE');
  });

  it('may be set and taken away by a step, as a whole', () => {
    expect(stepOf({ override: { cache: false } })).not.toHaveProperty('cache');
    const override = { cache: { version: '7', ignoreInputs: ['site'] } };
    expect(policyOf({ cache: { version: '7', ttl: Duration.days(1) }, override })).toEqual({
      key: policyOf({ cache: { version: '7' } }).key,
      ignoreInputs: ['site'],
    });
  });

  it('tells all that is wrong with it', () => {
    const cache = { version: '', ttl: Duration.seconds(0), ignoreInputs: ['siet', 'day'] };
    expect(synthProblems(define({ override: { cache } }))).toEqual([
      '[w] train.cache.ttl: must be more than 0, not 0 s; leave it out',
      '[w/train] cache.version: must be a text, not ""; begin with \'1\'',
      '[w/train] cache.ignoreInputs[0]: task "train" has no input "siet"; did you mean "site"?',
    ]);
  });
});

it('a plan says for all of its runs how they use kept results', () => {
  const manifests = synth((scope) => {
    const task = new ContainerTask(scope, 'train', { image: 'train:1', cache: { version: '1' } });
    const workflow = new Workflow(scope, 'w', {}, ({ step }) => void step('train', task));
    new LaunchPlan(scope, 'nightly', { workflow, cache: 'Overwrite' });
  });
  const { jobTemplate } = find(manifests, 'CronJob').spec as { jobTemplate: { metadata: { annotations: object } } };
  expect(jobTemplate.metadata.annotations).toMatchObject({ 'cdk8s-workflows.dev/cache': 'Overwrite' });
});

describe('the key of a result in a run', () => {
  const main = (fields: object) => ({ spec: { containers: [{ name: 'main', ...fields }] } });

  it.each<[string, Parameters<typeof resultKey>[2]]>([
    ['nothing is changed', { run: 'r' }],
    ['the plan changes the node', { run: 'r', podOverride: { spec: { nodeSelector: { gpu: 'a100' } } } }],
    ['the launch gives more memory', { run: 'r', runOverride: { '*': main({ resources: { limits: { cpu: '1' } } }) } }],
    ['the launch changes another step', { run: 'r', runOverride: { other: main({ image: 'b' }) } }],
  ])('is that of the step when %s', (_, layers) => {
    expect(resultKey('k', 'train', layers)).toBe('k');
  });

  it('is another when the plan or the launch changes what runs', () => {
    const keys = [
      resultKey('k', 'train', { run: 'r', podOverride: main({ image: 'b' }) }),
      resultKey('k', 'train', { run: 'r', podOverride: main({ image: 'c' }) }),
      resultKey('k', 'train', { run: 'r', runOverride: { train: main({ env: [{ name: 'A', value: '1' }] }) } }),
    ];
    expect(new Set([...keys, 'k']).size).toBe(4);
    expect(resultKey('k', 'train', { run: 'other', runOverride: { '*': main({ image: 'b' }) } })).toBe(keys[0]);
  });
});
