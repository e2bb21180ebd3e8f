import { expect, test } from 'vitest';
import { findWorkflows } from '../../lib/graph/bundle.ts';
import { annotations } from '../../lib/graph/labels.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { manifestsOf } from '../local/fixtures.ts';

const objects = manifestsOf({ steps: { a: {}, b: { after: ['a'] } } }, [
  { name: 'etl-a', inputs: { site: 'a' }, fixed: ['site'], parallelism: 3 },
]);

test('finds a workflow with its templates and plans', () => {
  const { workflows, problems } = findWorkflows(objects);
  expect(problems).toEqual([]);
  expect(workflows).toHaveLength(1);
  const [etl] = workflows;
  expect([...etl!.templates.keys()]).toEqual(['etl-a', 'etl-b']);
  expect(etl).toMatchObject({
    workflow: 'etl',
    graphName: 'etl-0123456789',
    plans: [{ name: 'etl-a', inputs: { site: 'a' }, fixedInputs: ['site'], parallelism: 3 }],
  });
});

test('objects of another namespace are not mixed in', () => {
  const away = objects.map((object) => ({
    ...object,
    metadata: { ...(object.metadata as JsonObject), namespace: 'other' },
  }));
  const { workflows, problems } = findWorkflows([...objects.filter(({ kind }) => kind !== 'PodTemplate'), ...away]);
  expect(workflows.map(({ namespace, templates, plans }) => [namespace, templates.size, plans.length])).toEqual([
    [undefined, 0, 1],
    ['other', 2, 1],
  ]);
  expect(problems).toHaveLength(2);
});

test('says what is missing or broken, with the object that it is about', () => {
  const broken = objects
    .filter(({ metadata }) => (metadata as JsonObject).name !== 'etl-b')
    .map(
      (object) =>
        JSON.parse(
          JSON.stringify(object).replace(JSON.stringify(JSON.stringify({ site: 'a' })), '"[1]"'),
        ) as JsonObject,
    );
  expect(findWorkflows(broken).problems).toEqual([
    { path: `CronJob etl-a: annotation ${annotations.inputs}`, message: 'must be a JSON object, not "[1]"' },
    {
      path: 'ConfigMap etl-0123456789: step b',
      message: 'there is no PodTemplate "etl-b"',
      fix: 'did you mean "etl-a"?',
    },
  ]);
});

test('a graph that cannot be read is a problem, and anything else is passed over', () => {
  const unreadable = objects.map((object) =>
    object.kind === 'ConfigMap' ? { ...object, data: { 'graph.json': '{' } } : object,
  );
  const { workflows, problems } = findWorkflows([
    ...unreadable,
    { apiVersion: 'v1', kind: 'CronJob', metadata: { name: 'x' } },
  ]);
  expect(workflows).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ path: 'ConfigMap etl-0123456789: data' });
});
