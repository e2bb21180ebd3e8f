import { Chart, Duration } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  resourcesSet,
  TaskJob,
  validateManifests,
  Workflow,
  type ExecutionSettings,
  type Resources,
  type Retries,
  type StepOverride,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TaskStep } from '../../lib/graph/graph.ts';
import { find, synth, synthProblems } from './support.ts';

const define =
  (settings: ExecutionSettings, ...overrides: readonly StepOverride[]) =>
  (scope: Construct): void => {
    const task = new ContainerTask(scope, 'train', { image: 'train:1', ...settings });
    new Workflow(scope, 'w', {}, ({ step }) => {
      const train = step('train', task);
      for (const override of overrides) train.override(override);
    });
  };
const stepOf = (settings: ExecutionSettings, ...overrides: readonly StepOverride[]): TaskStep => {
  const graph = JSON.parse(find(synth(define(settings, ...overrides)), 'ConfigMap').data['graph.json']) as {
    readonly steps: readonly TaskStep[];
  };
  return graph.steps[0]!;
};
const memory = (limit: string): { readonly resources: Resources } => ({ resources: { limits: { memory: limit } } });

describe('retries', () => {
  it.each<[string, number | Retries, object]>([
    ['a number', 3, { limit: 3 }],
    [
      'a delay that grows',
      { limit: 5, delay: Duration.seconds(10), factor: 3, maxDelay: Duration.minutes(5), jitter: 0 },
      { limit: 5, delaySeconds: 10, factor: 3, maxDelaySeconds: 300, jitter: 0 },
    ],
    [
      'a list of delays',
      { limit: 5, delays: [Duration.seconds(1), Duration.millis(1500), Duration.minutes(1)] },
      { limit: 5, delaysSeconds: [1, 1.5, 60] },
    ],
    ['a total time', { limit: 5, maxElapsed: Duration.hours(1) }, { limit: 5, maxElapsedSeconds: 3600 }],
    [
      'one rule',
      { limit: 5, when: { exitCodes: [75], message: 'busy' } },
      { limit: 5, when: [{ exitCodes: [75], message: 'busy' }] },
    ],
    [
      'several rules',
      { limit: 5, when: [{ exitCodes: [75] }, { reasons: ['OOMKilled'] }], unless: { message: 'corrupt' } },
      { limit: 5, when: [{ exitCodes: [75] }, { reasons: ['OOMKilled'] }], unless: [{ message: 'corrupt' }] },
    ],
    [
      'more memory after OOM',
      { limit: 3, resourcesAfterOOM: (kills) => ({ limits: { memory: `${4 * 2 ** kills}Gi`, cpu: kills } }) },
      {
        limit: 3,
        resourcesAfterOOM: [
          { limits: { memory: '8Gi', cpu: '1' } },
          { limits: { memory: '16Gi', cpu: '2' } },
          { limits: { memory: '32Gi', cpu: '3' } },
        ],
      },
    ],
  ])('are plain data in the graph: %s', (_, retries, policy) => {
    expect(stepOf({ retries }).retries).toEqual(policy);
    expect(stepOf({}, { retries }).retries).toEqual(policy);
  });

  it('of an override replace those of the task', () => {
    expect(stepOf({ retries: { limit: 3, when: { exitCodes: [1] } } }, { retries: 1 }).retries).toEqual({ limit: 1 });
  });

  it('and timeouts are kept beside each other', () => {
    const step = stepOf({ systemRetries: 0, pendingTimeout: Duration.minutes(10) }, { timeout: Duration.hours(1) });
    expect(step).toMatchObject({ systemRetries: 0, pendingTimeoutSeconds: 600, timeoutSeconds: 3600 });
    expect(stepOf({ systemRetries: 1 }, { systemRetries: 5 }).systemRetries).toBe(5);
  });

  it('of a single task’s Job are as many as its limit', () => {
    const manifests = synth((chart) => {
      const task = new ContainerTask(chart, 'train', { image: 'train:1', retries: { limit: 2, delays: [] } });
      new TaskJob(chart, 'job', { task });
    });
    expect(find(manifests, 'Job').spec.backoffLimit).toBe(2);
  });

  it('that make no sense are told all at once', () => {
    const js = (value: unknown) => value as never;
    const retries: Retries = {
      limit: -1,
      delays: [],
      jitter: 2,
      when: [],
      unless: [{}, { exitCodes: [0, 256] }, { reasons: js(['OOMKiled']), message: '' }, { exitCodes: [] }],
    };
    expect(synthProblems(define({ retries, systemRetries: 0.5, pendingTimeout: Duration.seconds(0) }))).toEqual(
      [
        'pendingTimeoutSeconds: must be more than 0, not 0',
        'systemRetries: must be a whole number from 0, not 0.5',
        'retries.limit: must be a whole number from 0, not -1',
        'retries.jitter: must be from 0 to 1, not 2',
        'retries.delaysSeconds: is empty; leave it out for no wait',
        'retries.when: is empty; leave it out to tell no failures apart',
        'retries.unless[0]: says nothing; give exitCodes, reasons or message',
        'retries.unless[1].exitCodes: must be whole numbers from 1 to 255, not 0',
        'retries.unless[1].exitCodes: must be whole numbers from 1 to 255, not 256',
        'retries.unless[2].reasons: "OOMKiled" is no failure that retries are for; did you mean "OOMKilled"?',
        'retries.unless[2].message: is empty, so it fits every failure',
        'retries.unless[3].exitCodes: is empty, so it fits no failure',
      ].map((problem) => `[w] train.${problem}`),
    );
  });

  it('of the platform must leave an attempt for spot nodes', () => {
    expect(synthProblems(define({ spot: true, systemRetries: 0 }))).toEqual([
      '[w/train] systemRetries: is 0, so that no attempt goes to spot nodes: the last one that the platform may fail goes elsewhere; allow one, or set spot: false',
    ]);
  });
});

describe('resources after OOM', () => {
  const grow = (...limits: readonly string[]): Retries => ({
    limit: limits.length,
    resourcesAfterOOM: (kills) => memory(limits[kills - 1]!).resources,
  });
  const FIRST = '[w/train] PodTemplate w-train: retries.resourcesAfterOOM(1): ';
  const PLACE = 'spec.containers[main].resources';

  it('may stay the same from some kill on', () => {
    expect(synthProblems(define({ ...memory('4Gi'), retries: grow('8Gi', '8Gi', '8192Mi') }))).toEqual([]);
  });

  it.each<[string, ExecutionSettings, StepOverride, string[]]>([
    [
      'not more than before',
      { ...memory('4Gi'), retries: grow('8Gi') },
      memory('64Gi'),
      [`${FIRST}${PLACE}.limits.memory: is "8Gi", no more than what was too little ("64Gi"); ask for more`],
    ],
    [
      'less after another kill',
      { ...memory('4Gi'), retries: grow('8Gi', '6Gi') },
      {},
      [
        `${FIRST.replace('1', '2')}${PLACE}.limits.memory: is "6Gi", less than after the kill before ("8Gi"); ask for more`,
      ],
    ],
    ['no quantity', { retries: grow('8GB') }, {}, [expect.stringMatching(/^.*resourcesAfterOOM\(1\): .*"8GB"/)]],
    [
      'a request above its limit',
      { resources: { requests: { memory: '16Gi' } }, retries: grow('8Gi') },
      {},
      [expect.stringMatching(/^.*resourcesAfterOOM\(1\): .*above the limit/)],
    ],
    [
      'for retries that there are none of',
      { retries: { limit: 0, resourcesAfterOOM: () => ({ limits: { memory: '1Gi' } }) } },
      {},
      ['[w] train.retries.resourcesAfterOOM: is for retries, and their limit is 0'],
    ],
  ])('are told when they are %s', (_, settings, override, problems) => {
    expect(synthProblems(define(settings, override))).toEqual(problems);
  });

  it('keep to the rules of the scope', () => {
    const retries: Retries = { limit: 1, resourcesAfterOOM: () => ({ limits: null }) };
    const problems = synthProblems((chart) => {
      validateManifests(chart, { rules: [resourcesSet({ requests: [], limits: ['memory'] })] });
      define({ ...memory('4Gi'), retries })(chart);
    });
    expect(problems).toEqual([
      expect.stringMatching(/resourcesAfterOOM\(1\): spec\.containers\[main\].*limits\.memory: is not set/),
    ]);
  });

  it('keep to the policy of the cluster', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'retries-'));
    onTestFinished(() => rmSync(outdir, { recursive: true }));
    const podPolicy = { spec: { containers: [{ name: 'main', resources: { limits: { memory: '4Gi' } } }] } };
    const fleet = new Fleet({ clusters: [{ name: 'eu', podPolicy }], outdir }, (app) =>
      define({ retries: grow('8Gi') })(new Chart(app, 'etl')),
    );
    expect(() => fleet.synth()).toThrow(/resourcesAfterOOM\(1\): .*memory.*4Gi/s);
  });
});
