import { describe, expect, it } from 'vitest';
import { noLatest, pinnedImages } from '../../lib/manifests/image-rules.ts';
import { resourcesSet } from '../../lib/manifests/resources-set.ts';
import { rule, ruleProblems } from '../../lib/manifests/rule.ts';
import { podTemplateOf } from '../../lib/manifests/workload.ts';
import { manifest, template, violations } from './support.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const at = 'spec.containers[main]';

describe('rules over images', () => {
  it.each([
    ['etl', false, false, false],
    ['etl:latest', false, false, false],
    ['registry:5000/etl', false, false, false],
    ['registry:5000/team/etl:1.4', true, false, true],
    ['etl:1', true, false, true],
    [`etl@${digest}`, true, true, true],
    [`etl:latest@${digest}`, true, true, true],
  ])('%s', (image, byTag, byDigest, isNotLatest) => {
    const passes = (rule: Parameters<typeof violations>[0]) => violations(rule, template({ image })).length === 0;
    expect([passes(pinnedImages('tag')), passes(pinnedImages('digest')), passes(noLatest())]).toEqual([
      byTag,
      byDigest,
      isNotLatest,
    ]);
  });

  it('say what is wrong and what to write', () => {
    expect(violations(pinnedImages('digest'), template())).toEqual([
      `${at}.image: "etl:1" has no digest (pinnedImages digest); write "etl:1@sha256:..."`,
    ]);
    expect(violations(pinnedImages('tag'), template({ image: 'etl' }))).toEqual([
      `${at}.image: "etl" has no tag, which means latest (pinnedImages tag); name a version`,
    ]);
    expect(violations(noLatest(), template({ image: 'etl:latest' }))).toEqual([
      `${at}.image: "etl:latest" is the tag latest (noLatest); name a version`,
    ]);
  });

  it('look into init containers and image volumes', () => {
    const of = template(
      {},
      { initContainers: [{ name: 'i', image: 'a' }], volumes: [{ name: 'v', image: { reference: 'b' } }] },
    );
    expect(violations(noLatest(), of).map((line) => line.split(':')[0])).toEqual([
      'spec.initContainers[i].image',
      'spec.volumes[v].image.reference',
    ]);
  });
});

describe('resourcesSet', () => {
  const resources = (of: object, spec: object = {}) => template({ resources: of }, spec);
  it.each([
    ['nothing', template(), ['limits.memory', 'requests.cpu', 'requests.memory']],
    ['all', resources({ requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '1Gi' } }), []],
    ['a limit, which is a request too', resources({ requests: { cpu: 1 }, limits: { memory: '1Gi' } }), []],
    ['requests alone', resources({ requests: { cpu: 1, memory: '1Gi' } }), ['limits.memory']],
    ['amounts of the pod', resources({ requests: { cpu: 1 } }, { resources: { limits: { memory: '1Gi' } } }), []],
  ])('asks of %s', (_name, of, missing) => {
    expect(violations(resourcesSet(), of).map((line) => line.split(':')[0])).toEqual(
      missing.map((field) => `${at}.resources.${field}`),
    );
  });

  it('asks for what it is told to, by the name of the resource', () => {
    expect(violations(resourcesSet({ requests: [], limits: ['nvidia.com/gpu'] }), template())).toEqual([
      `${at}.resources.limits[nvidia.com/gpu]: is not set (resourcesSet); state a limit of nvidia.com/gpu`,
    ]);
    expect(violations(resourcesSet({ requests: [], limits: [] }), template())).toEqual([]);
  });
});

describe('a rule of your own', () => {
  it('sees the template and whose it is', () => {
    const seen: unknown[] = [];
    const own = rule('own', (of, where) => {
      seen.push([of.spec?.containers[0]?.name, where.construct]);
      return [];
    });
    violations(own, template());
    expect(seen).toEqual([['main', 'c/x']]);
  });

  it('that fails says which it was, and on what', () => {
    const broken = rule('broken', () => {
      throw new TypeError('no');
    });
    expect(() => violations(broken, template())).toThrow('The rule broken failed on Pod x (c/x)');
  });

  it('that is given twice tells a problem once', () => {
    const where = { kind: 'Pod', name: 'x', labels: {}, construct: 'c/x' };
    expect(ruleProblems([noLatest(), noLatest()], template({ image: 'a' }), where).size).toBe(1);
  });
});

it.each([
  ['v1', 'Pod', { spec: {} }, ''],
  ['v1', 'PodTemplate', { template: { spec: {} } }, 'template'],
  ['batch/v1', 'Job', { spec: { template: { spec: {} } } }, 'spec.template'],
  [
    'batch/v1',
    'CronJob',
    { spec: { jobTemplate: { spec: { template: { spec: {} } } } } },
    'spec.jobTemplate.spec.template',
  ],
  ['apps/v1', 'Deployment', { spec: { template: { spec: {} } } }, 'spec.template'],
  ['apps/v1', 'StatefulSet', { spec: { template: { spec: {} } } }, 'spec.template'],
  ['apps/v1', 'DaemonSet', { spec: { template: { spec: {} } } }, 'spec.template'],
  ['v1', 'PodTemplate', {}, undefined],
  ['v1', 'Service', { spec: {} }, undefined],
])('finds the pod template of %s %s', (apiVersion, kind, rest, path) => {
  expect(podTemplateOf(manifest(apiVersion, kind, rest))?.path).toBe(path);
});
