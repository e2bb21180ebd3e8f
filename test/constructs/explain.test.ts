import { App, Chart } from 'cdk8s';
import { ContainerTask, Fleet, LaunchPlan, Workflow } from 'cdk8s-workflows';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Explanation } from '../../lib/pods/explanation.ts';

let directory: string;
let explanations: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'explain-'));
  explanations = join(directory, 'explanations');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function define(app: App): void {
  const chart = new Chart(app, 'etl');
  const task = new ContainerTask(chart, 'extract', { image: 'etl:1' });
  const workflow = new Workflow(chart, 'etl', {}, ({ step }) => {
    step('extract', task);
    step('load', task).override({ image: 'etl:2' });
  });
  for (const name of ['nightly', 'weekly'])
    new LaunchPlan(chart, name, { workflow, podTemplate: { spec: { nodeName: name } } });
}

function synth(name: string, env: Readonly<Record<string, string>>): string {
  for (const [variable, value] of Object.entries(env)) vi.stubEnv(variable, value);
  const outdir = join(directory, name);
  const app = new App({ outdir });
  define(app);
  app.synth();
  vi.unstubAllEnvs();
  return readFileSync(join(outdir, 'etl.k8s.yaml'), 'utf8');
}

const written = () => readdirSync(explanations, { recursive: true, encoding: 'utf8' }).sort();
const read = (file: string) => JSON.parse(readFileSync(join(explanations, file), 'utf8')) as Explanation;
const withoutHash = (file: string) => file.replace(/(etl-\w+)-\w+/, '$1');

it('writes where the fields of pods come from when it is asked to, and the manifests stay as they are', () => {
  const quiet = synth('quiet', {});
  expect(existsSync(explanations)).toBe(false);
  expect(synth('asked', { CDK8S_WORKFLOWS_EXPLAIN: explanations })).toBe(quiet);
  expect(written().map(withoutHash)).toEqual(['etl-extract.json', 'etl-load.json']);
});

it('tells of each field who set it where, and what it replaced', () => {
  synth('asked', { CDK8S_WORKFLOWS_EXPLAIN: explanations });
  const { template, fields } = read(written()[1]!);
  expect(template.spec?.containers[0]?.image).toBe('etl:2');
  expect(fields.map(({ path, layer }) => [path, layer])).toEqual([
    ['spec.restartPolicy', 'base'],
    ['spec.containers[main].name', 'base'],
    ['spec.containers[main].image', 'step override'],
  ]);
  expect(fields[2]).toMatchObject({
    place: ['spec', 'containers', { item: 'main' }, 'image'],
    value: 'etl:2',
    source: 'etl/etl/load',
    at: expect.stringMatching(/^test\/constructs\/explain\.test\.ts:\d+$/),
    replaced: [{ value: 'etl:1', layer: 'task', source: 'etl/extract', at: expect.stringContaining('.ts:') }],
  });
});

it('writes what a plan changes only of the plan that is asked for', () => {
  synth('asked', { CDK8S_WORKFLOWS_EXPLAIN: explanations, CDK8S_WORKFLOWS_EXPLAIN_PLAN: 'nightly' });
  expect(written().map(withoutHash)).toEqual([
    'etl-extract.json',
    'etl-extract@nightly.json',
    'etl-load.json',
    'etl-load@nightly.json',
  ]);
  expect(read(written()[1]!).fields.at(-1)).toMatchObject({
    path: 'spec.nodeName',
    value: 'nightly',
    layer: 'plan override',
    source: 'etl/nightly',
  });
});

it.each([
  [undefined, undefined, undefined],
  [undefined, true, 'plan override'],
  [undefined, false, undefined],
  [true, undefined, 'task'],
  [true, { selector: { pool: 'plan' } }, 'task'],
  [true, false, undefined],
  [false, true, undefined],
])('with spot: %j of a task and %j of a plan, a pod goes to spot nodes as who says it', (own, said, layer) => {
  for (const [variable, value] of Object.entries({ EXPLAIN: explanations, EXPLAIN_PLAN: 'p' }))
    vi.stubEnv(`CDK8S_WORKFLOWS_${variable}`, value);
  const app = new App({ outdir: join(directory, 'spot') });
  const chart = new Chart(app, 'etl');
  const task = new ContainerTask(chart, 'extract', { image: 'etl:1', spot: own });
  const workflow = new Workflow(chart, 'etl', {}, ({ step }) => void step('extract', task));
  new LaunchPlan(chart, 'p', { workflow, spot: said });
  app.synth();
  const file = written().find((each) => each.includes('@p'))!;
  expect(read(file).fields.find(({ path }) => path.startsWith('spec.affinity'))?.layer).toBe(layer);
});

it('writes them for each cluster of a fleet, and where the clusters were written', () => {
  vi.stubEnv('CDK8S_WORKFLOWS_EXPLAIN', explanations);
  const clusters = ['eu', 'us'].map((name) => ({ name, podDefaults: { spec: { nodeSelector: { zone: name } } } }));
  new Fleet({ clusters, defaultCluster: 'eu', outdir: join(directory, 'fleet') }, define).synth();
  const files = written().filter((file) => file.endsWith('.json'));
  expect(files.map(withoutHash)).toEqual([
    'eu/etl-extract.json',
    'eu/etl-load.json',
    'us/etl-extract.json',
    'us/etl-load.json',
  ]);
  expect(read(files[2]!).fields.at(-1)).toMatchObject({
    value: 'us',
    layer: 'cluster defaults',
    at: expect.stringContaining('test/constructs/explain.test.ts:'),
  });
});
