import { Chart } from 'cdk8s';
import type { InvalidError } from 'cdk8s-workflows';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  planNamed,
  RunStep,
  Workflow,
  type Cluster,
  type LaunchOptions,
} from 'cdk8s-workflows';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { decodeGraph } from '../../lib/graph/config-map.ts';
import type { Graph, RunStep as RunNode } from '../../lib/graph/graph.ts';
import { whatRuns } from '../../lib/graph/run-rules.ts';
import { graphProblems } from '../../lib/graph/validate.ts';
import { synthProblems } from './support.ts';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'remote-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

const clusters: readonly Cluster[] = [
  { name: 'main' },
  { name: 'gpu-eu', podDefaults: { spec: { nodeSelector: { gpu: 'yes' } } } },
  { name: 'old', enabled: false },
];

/** What differs from a workflow whose step has its run on `gpu-eu`. */
interface Case {
  readonly cluster?: string;
  readonly innerOn?: (cluster: string) => boolean;
  readonly planOn?: string;
  readonly launch?: 'plan' | 'named';
}

function synth({ cluster = 'gpu-eu', innerOn = () => true, planOn = 'gpu-eu', launch }: Case = {}) {
  new Fleet({ clusters, defaultCluster: 'main', outdir }, (app, { name }) => {
    const chart = new Chart(app, 'etl');
    const task = new ContainerTask(chart, 'train', { image: 'train:1' });
    const inner = new Workflow(innerOn(name) ? chart : new Chart(app, 'other'), 'inner', {}, ({ step }) => {
      step('train', task);
    });
    const plan = new LaunchPlan(chart, 'plan', { workflow: inner, cluster: planOn });
    new Workflow(chart, 'outer', {}, ({ step }) => {
      const options: LaunchOptions = { cluster };
      if (launch === undefined) step.run('there', inner, {}, options);
      else step.launch('there', launch === 'plan' ? plan : planNamed('later'), {}, options);
    });
  }).synth();
}

const problems = (options: Case) => {
  try {
    synth(options);
    return [];
  } catch (error) {
    return (error as InvalidError).problems.map(({ path, message }) => `${path}: ${message}`);
  }
};

function graphsOn(cluster: string): Readonly<Record<string, { readonly name: string; readonly graph: Graph }>> {
  const objects = parseAllDocuments(readFileSync(join(outdir, cluster, 'etl.k8s.yaml'), 'utf8')).map((one) =>
    one.toJS(),
  );
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
  return Object.fromEntries(
    maps.map((map) => {
      const decoded = decodeGraph(map);
      if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
      return [decoded.graph.workflow, { name: map.metadata.name, graph: decoded.graph }];
    }),
  );
}

describe('a step whose run is on another cluster', () => {
  it('names the cluster and the graph that is there, whose pods are others than here', () => {
    synth();
    const [here, there] = [graphsOn('main'), graphsOn('gpu-eu')];
    expect(there.inner!.name).not.toBe(here.inner!.name);
    const [step] = here.outer!.graph.steps as readonly RunNode[];
    expect(step).toMatchObject({
      kind: 'run',
      cluster: 'gpu-eu',
      runs: { workflow: 'inner', graph: there.inner!.name, version: there.inner!.name.replace('inner-', '') },
    });
    expect(graphProblems(here.outer!.graph)).toEqual([]);
    expect(whatRuns(step!)).toBe('run of inner on gpu-eu');
  });

  it('is like any other on that cluster itself', () => {
    synth();
    const { inner, outer } = graphsOn('gpu-eu');
    expect(outer!.graph.steps).toEqual([
      expect.objectContaining({ kind: 'run', runs: expect.objectContaining({ graph: inner!.name }) }),
    ]);
    expect(outer!.graph.steps[0]).not.toHaveProperty('cluster');
  });

  it('may launch a plan that is placed there, or one that is only named', () => {
    synth({ launch: 'plan' });
    expect(graphsOn('main').outer!.graph.steps).toMatchObject([{ cluster: 'gpu-eu', runs: { plan: 'plan' } }]);
    expect(problems({ launch: 'named' })).toEqual([]);
  });

  it.each<[string, Case, string[]]>([
    [
      'a cluster that is not in the fleet',
      { cluster: 'gpu-us' },
      ['etl/outer/there: cluster: there is no cluster "gpu-us"; did you mean "gpu-eu"?'],
    ],
    [
      'a cluster that is disabled',
      { cluster: 'old' },
      ['etl/outer/there: cluster: the cluster "old" is disabled; enable it, or name another'],
    ],
    [
      'a workflow that the cluster does not have',
      { innerOn: (cluster) => cluster === 'main' },
      ['etl/outer/there: cluster: workflow "inner" is not on cluster "gpu-eu"; define it there too (on main)'],
    ],
    [
      'a plan that is placed elsewhere',
      { launch: 'plan', planOn: 'main' },
      ['etl/outer/there: cluster: launch plan "plan" is not on cluster "gpu-eu"; place it there (on main)'],
    ],
  ])('cannot be of %s', (_, options, expected) => {
    expect(problems(options)).toEqual(expected);
  });

  it('needs a fleet', () => {
    const found = synthProblems((chart) => {
      const inner = new Workflow(chart, 'inner', {});
      new Workflow(chart, 'outer', {}, ({ step }) => void step.run('there', inner, {}, { cluster: 'gpu-eu' }));
    });
    expect(found).toContain(
      '[outer/there] cluster: is set, but the app belongs to no fleet; synthesize it from a Fleet',
    );
  });

  it('cannot come back to the workflow that it is in, by way of another cluster', () => {
    const fleet = new Fleet({ clusters, outdir }, (app, { name }) => {
      const chart = new Chart(app, 'etl');
      const [one, two] = ['one', 'two'].map((id) => new Workflow(chart, id, {})) as [Workflow, Workflow];
      if (name === 'main') new RunStep(one, 'step', { workflow: two, inputs: {}, options: { cluster: 'gpu-eu' } });
      else new RunStep(two, 'step', { workflow: one, inputs: {}, options: { cluster: 'main' } });
    });
    expect(() => fleet.synth()).toThrow(/"two" would run itself: two -> one;[^]*"one" would run itself: one -> two;/);
  });
});
