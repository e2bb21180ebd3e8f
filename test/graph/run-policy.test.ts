import { describe, expect, it } from 'vitest';
import type { Graph, StepNode } from '../../lib/graph/graph.ts';
import { readRunPolicy, runPolicyNotes, withRunPolicy, type RunPolicy } from '../../lib/graph/run-policy.ts';

const task = { task: 't', template: 't-x', inputs: {} } as const;
const plain: StepNode = { kind: 'task', name: 'plain', ...task };
const own: StepNode = { kind: 'task', name: 'own', ...task, retries: { limit: 0 }, spot: { value: {} } };
const off: StepNode = { kind: 'task', name: 'off', ...task, runSpot: false };
const service: StepNode = { kind: 'service', name: 'service', ...task };
const map: StepNode = { kind: 'map', name: 'map', ...task, over: [] };
const indexed: StepNode = { kind: 'indexedMap', name: 'indexed', ...task, over: [], runAs: 'Job' };
const run: StepNode = { kind: 'run', name: 'run', runs: { plan: 'other' }, inputs: {} };
const gate: StepNode = { kind: 'gate', name: 'gate', gate: { waitsFor: 'approval' } };

const graph: Graph = {
  apiVersion: 'cdk8s-workflows.dev/v1',
  workflow: 'etl',
  inputs: { properties: {}, required: [] },
  outputs: {},
  failurePolicy: 'FinishRunning',
  steps: [plain, own, off, service, map, indexed, run, gate],
};

/** What steps have of it, by their names. */
const fieldOf = (policy: RunPolicy, field: string) =>
  Object.fromEntries(
    withRunPolicy(graph, policy)
      .steps.filter((step) => field in step)
      .map((step) => [step.name, (step as unknown as Record<string, unknown>)[field]]),
  );

describe('the policy of a run', () => {
  it.each<RunPolicy>([
    {},
    { failurePolicy: 'CancelRunning' },
    { retries: { limit: 2, delaySeconds: 10, when: [{ exitCodes: [75] }] } },
    { spot: true },
    { spot: false },
    { spot: { selector: { pool: 'spot' } }, artifactRoot: 's3://acme/etl/' },
  ])('travels with it: %j', (policy) => {
    expect(readRunPolicy(runPolicyNotes(policy))).toEqual({ policy, problems: [] });
  });

  it.each([
    ['failure-policy', 'CancelRuning', 'is "CancelRuning"; did you mean "CancelRunning"?'],
    ['retries', 'often', 'must be a retry policy in JSON, with a "limit", not "often"'],
    ['retries', '{"limit":-1}', 'must be a whole number from 0, not -1'],
    ['spot', '"yes"', 'must be true, false or a JSON object, not "\\"yes\\""'],
    ['artifact-root', '/tmp', 'must be a URI without query and fragment, not "/tmp"; write it as s3://bucket/path'],
  ])('is told of the annotation %s: %s', (key, value, problem) => {
    const { problems } = readRunPolicy({ [`cdk8s-workflows.dev/${key}`]: value });
    expect(problems).toHaveLength(1);
    const [{ path, message, fix } = { path: '', message: '' }] = problems;
    expect(path.startsWith(`cdk8s-workflows.dev/${key}`)).toBe(true);
    expect(fix === undefined ? message : `${message}; ${fix}`).toBe(problem);
  });

  it('leaves a graph as it is of which it says nothing', () => {
    expect(withRunPolicy(graph, { artifactRoot: 's3://acme' })).toBe(graph);
    expect(withRunPolicy(graph, { failurePolicy: 'FinishRunning' })).toBe(graph);
  });

  it('gives retries to steps with attempts that say nothing of them, also when what they say is none', () => {
    const retries = { limit: 2 };
    expect(fieldOf({ retries }, 'retries')).toEqual({
      plain: retries,
      own: { limit: 0 },
      off: retries,
      service: retries,
      map: retries,
    });
    expect(fieldOf({ retries }, 'itemRetries')).toEqual({ indexed: retries });
    // Between the tries of an Indexed Job Kubernetes waits as it likes.
    expect(fieldOf({ retries: { limit: 2, delaySeconds: 1 } }, 'itemRetries')).toEqual({});
  });

  it('sends to spot nodes what says nothing of them, and keeps off all when it is false', () => {
    expect(fieldOf({ spot: true }, 'runSpot')).toEqual({ plain: true, off: false, service: true, map: true });
    expect(fieldOf({ spot: true }, 'spot')).toEqual({ own: { value: {} } });
    expect(fieldOf({ spot: false }, 'runSpot')).toEqual({ off: false });
    expect(fieldOf({ spot: false }, 'spot')).toEqual({});
  });
});
