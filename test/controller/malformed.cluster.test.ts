import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskSteps } from '../../lib/graph/graph.ts';
import { annotations } from '../../lib/graph/labels.ts';
import { recordName } from '../../lib/graph/object-names.ts';
import { configMaps, jobs, podTemplates } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench, chain, run, workflow, type RunOptions, type TestStep, type TestWorkflow } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'malformed' });
  bench = await Bench.create(cluster.kubeconfigPath);
  await bench.controller({ timing: { missingMs: 2_000 } });
});
afterAll(async () => {
  // Whatever it was given, it still works.
  await bench?.launch(workflow('after-all', chain(2)), 'after-all');
  await bench?.finished('after-all');
  await bench?.close();
  await cluster?.stop();
});

const string = { type: 'string' } as const;
const typed = workflow('typed', chain(1), {
  inputs: { properties: { site: string, limit: { type: 'integer' } }, required: ['site', 'limit'] },
});

/** Launches a run that cannot be run; gives what its Job says of that. */
async function refused(of: TestWorkflow, name: string, options: RunOptions): Promise<string> {
  await bench.launch(of, name, options);
  const { status } = await bench.finished(name);
  expect(status?.conditions?.map(({ type, reason }) => [type, reason])).toEqual([
    ['FailureTarget', 'InvalidRun'],
    ['Failed', 'InvalidRun'],
  ]);
  expect(await bench.pods(name)).toEqual([]);
  await eventually(async () => expect((await bench.events(name)).join()).toContain('InvalidRun'));
  return status!.conditions![1]!.message!;
}

describe('a run that cannot be run fails, and its Job says everything that is wrong:', () => {
  it('inputs that are missing, unknown and of the wrong type', async () => {
    const message = await refused(typed, 'inputs', { inputs: { sitee: 'a', limit: 'many' } });
    expect(message).toContain('inputs.sitee: is not known; did you mean "site"?');
    expect(message).toContain('inputs.limit: must be integer, but is "many"');
    expect(message).toContain('inputs.site: is missing');
    const events = (await bench.events('inputs')).join();
    for (const name of ['sitee', 'limit', 'site']) expect(events).toContain(`inputs.${name}`);
  });

  it.each([
    ['inputs-text', { inputs: '{site: a}' }, 'inputs: must be a JSON object, not "{site: a}"'],
    ['inputs-list', { inputs: '[1]' }, 'inputs: must be a JSON object'],
    [
      'override-text',
      { annotations: { [annotations.podOverride]: 'spec: {}' } },
      'pod-override: must be a JSON object',
    ],
    [
      'override-list',
      { annotations: { [annotations.podOverride]: '{"spec":{"containers":[{"image":"x"}]}}' } },
      'spec.containers: the item {"image":"x"} has no name',
    ],
    ['no-graph', { annotations: { [annotations.graph]: '' } }, 'graph: is missing'],
    ['graph-gone', { annotations: { [annotations.graph]: 'gone-0' } }, 'there is no ConfigMap gone-0'],
  ])('%s', async (name, options: RunOptions, wanted) => {
    expect(await refused(workflow('plain', chain(1)), name, options)).toContain(wanted);
  });

  it.each([
    ['not-json', '{', 'is not readable'],
    ['other-version', '{"apiVersion":"v9"}', 'apiVersion: is "v9"'],
    ['half', '{"apiVersion":"cdk8s-workflows.dev/v1","steps":3}', 'steps: must be a list, not 3'],
  ])('a graph that is %s', async (name, text, wanted) => {
    const graphName = `graph-${name}`;
    await bench.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: graphName },
      data: { 'graph.json': text },
    });
    const options = { annotations: { [annotations.graph]: graphName } };
    expect(await refused(workflow('plain', chain(1)), `run-${name}`, options)).toContain(wanted);
  });

  it('a graph that is another ConfigMap', async () => {
    await bench.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' }, data: { key: 'value' } });
    const options = { annotations: { [annotations.graph]: 'other' } };
    expect(await refused(workflow('plain', chain(1)), 'other-map', options)).toContain('has neither graph.json');
  });
});

describe('a run', () => {
  it('begins when its graph and templates are applied late', async () => {
    const late = workflow('late', chain(2));
    await bench.client.create(jobs, run(late, 'late'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await bench.apply(late.manifests.at(-1)!);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await bench.apply(...late.manifests);
    expect((await bench.finished('late')).status).toMatchObject({ succeeded: 2 });
  });

  it('goes on when its graph is deleted meanwhile', async () => {
    const removed = workflow('removed', chain(3, { sim: { 'run-ms': '200' } }));
    await bench.launch(removed, 'removed');
    await bench.recorded('removed', ({ steps }) => steps.get('s0')?.phase === 'Succeeded');
    await bench.client.delete(configMaps, removed.graphName);
    expect((await bench.finished('removed')).status).toMatchObject({ succeeded: 3 });
  });

  it('fails a step whose template is gone', async () => {
    const missing = workflow('missing', chain(1));
    await bench.apply(...missing.manifests);
    await bench.client.delete(podTemplates, taskSteps(missing.graph)[0]!.template);
    await bench.client.create(jobs, run(missing, 'missing'));
    await bench.finished('missing');
    const step = (await bench.record('missing')).steps.get('s0');
    expect(step).toMatchObject({
      reason: 'Rejected',
      message: expect.stringMatching(/podtemplates .* not found, also after 2 s/),
    });
  });

  it('is refused rather than guessed at when its record was edited into nonsense', async () => {
    await bench.launch(workflow('edited', chain(2, { sim: { 'run-ms': '1000' } })), 'edited');
    await bench.recorded('edited', ({ steps }) => steps.get('s0')?.phase === 'Running');
    await bench.client.patch(
      configMaps,
      recordName('edited'),
      { data: { 'step.s0': '{"phase":"Sleeping"}' } },
      { type: 'merge' },
    );
    const { status } = await bench.finished('edited');
    expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'InvalidRun' });
    expect(status?.conditions?.at(-1)?.message).toContain('steps.s0');
  });

  it('goes on when somebody labels its record, or deletes it', async () => {
    await bench.launch(workflow('touched', chain(4, { sim: { 'run-ms': '400' } })), 'touched');
    await bench.recorded('touched', ({ steps }) => steps.get('s0')?.phase === 'Running');
    await bench.client.patch(
      configMaps,
      recordName('touched'),
      { metadata: { labels: { team: 'a' } } },
      { type: 'merge' },
    );
    await bench.recorded('touched', ({ steps }) => steps.get('s1')?.phase === 'Running');
    await bench.client.delete(configMaps, recordName('touched'));
    expect((await bench.finished('touched')).status).toMatchObject({ succeeded: 4 });
    expect(await bench.pods('touched')).toHaveLength(4);
  });

  it('with outputs that are missing or not what was declared fails with that reason', async () => {
    const outputs = { properties: { n: { type: 'integer' } }, required: ['n'] };
    const cases = { none: undefined, text: 'hello', wrong: '{"n":"x"}', big: `{"n":1,"x":"${'y'.repeat(5000)}"}` };
    const steps: TestStep[] = Object.entries(cases).map(([name, text]) => ({
      name,
      outputs,
      sim: (text === undefined ? {} : { outputs: text }) as Record<string, string>,
    }));
    await bench.launch(workflow('outputs', steps, { failurePolicy: 'RunIndependent' }), 'outputs');
    await bench.finished('outputs');
    const record = await bench.record('outputs');
    expect(Object.keys(cases).map((name) => record.steps.get(name)?.reason)).toEqual([
      'OutputsMissing',
      'OutputsNotJson',
      'OutputsInvalid',
      'OutputsTooLarge',
    ]);
  });

  it('fails when its record grows beyond what a ConfigMap holds', async () => {
    const outputs = { properties: { text: string }, required: ['text'] };
    const sim = { outputs: JSON.stringify({ text: 'x'.repeat(4000) }) };
    const steps = Array.from({ length: 300 }, (_, index) => ({ name: `w${index}`, outputs, sim }));
    const large = workflow('large', steps, { failurePolicy: 'RunIndependent' });
    await bench.apply(...large.manifests);
    await bench.client.create(jobs, run(large, 'large', { spec: { parallelism: 50 } }));
    const { status } = await bench.finished('large', 60_000);
    expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Failed', reason: 'InvalidRun' });
    expect(status?.conditions?.at(-1)?.message).toMatch(/The record of the run is refused: .*Too long/);
  });
});
