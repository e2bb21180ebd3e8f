import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KUBERNETES_VERSION } from '../../lib/manifests/kinds.ts';
import { validateManifest, validatePartialTemplate } from '../../lib/manifests/validate.ts';
import type { Json, JsonObject } from '../../lib/values/json.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import { manifest } from './support.ts';

const problems = (of: JsonObject, ...allowFields: string[]) =>
  validateManifest(of, { allowFields: new Set(allowFields) }).map(formatProblem);
const pod = (container: JsonObject, spec: JsonObject = {}) =>
  manifest('v1', 'Pod', { spec: { containers: [{ name: 'main', ...container }], ...spec } });
const main = 'spec.containers[main]';

describe('a manifest', () => {
  it.each<[string, JsonObject, string]>([
    ['a misspelt field', pod({ comand: ['x'] }), `${main}.comand: is no field of Container; did you mean "command"?`],
    [
      'a field in the wrong case',
      pod({ Image: 'x' }),
      `${main}.Image: is no field of Container; did you mean "image"?`,
    ],
    [
      'a field nobody knows',
      pod({ xyzzy: 1 }),
      `${main}.xyzzy: is no field of Container; remove it, or allow "Container.xyzzy" if your clusters know it`,
    ],
    ['a number for text', pod({ image: 3 }), `${main}.image: must be a string, not 3; quote it`],
    [
      'text for a number',
      pod({}, { priority: '3' }),
      'spec.priority: must be a whole number, not "3"; remove the quotes',
    ],
    ['text for a truth', pod({ tty: 'true' }), `${main}.tty: must be true or false, not "true"; remove the quotes`],
    ['a fraction', pod({}, { priority: 1.5 }), 'spec.priority: must be a whole number, not 1.5'],
    [
      'a number too large',
      pod({}, { priority: 2 ** 31 }),
      'spec.priority: must be from -2147483648 to 2147483647, not 2147483648',
    ],
    ['text for a list', pod({ args: '-v' }), `${main}.args: must be a list, not "-v"`],
    [
      'a list for an object',
      pod({ resources: [] }),
      `${main}.resources: must be an object (ResourceRequirements), not []`,
    ],
    ['a list for a map', pod({}, { nodeSelector: ['a'] }), 'spec.nodeSelector: must be an object, not ["a"]'],
    ['a null in a list', pod({ args: [null] }), `${main}.args[0]: must be a string, not null`],
    ['a missing field', manifest('v1', 'Pod', { spec: {} }), 'spec.containers: is missing; every PodSpec needs it'],
    [
      'an item without its key',
      manifest('v1', 'Pod', { spec: { containers: [{}] } }),
      'spec.containers[0].name: is missing; every Container needs it',
    ],
    [
      'a quantity that is none',
      pod({ resources: { limits: { memory: '8 GB' } } }),
      `${main}.resources.limits.memory: must be a quantity such as "500m", "2" or "8Gi", not "8 GB"; did you mean "8G"?`,
    ],
    [
      'an annotation that is no text',
      { ...manifest('v1', 'ConfigMap'), metadata: { annotations: { 'acme.dev/on': true } } },
      'metadata.annotations[acme.dev/on]: must be a string, not true; quote it',
    ],
    [
      'a time that is none',
      manifest('coordination.k8s.io/v1', 'Lease', { spec: { renewTime: '2026-01-31T06:00:00Z' } }),
      'spec.renewTime: must be a time such as "2026-01-31T06:00:00.000000Z", not "2026-01-31T06:00:00Z"',
    ],
    [
      'a secret in plain text, which is not shown',
      manifest('v1', 'Secret', { data: { password: 'hunter2' } }),
      'data.password: must be base64, not this string; encode it; a Secret takes plain text in stringData',
    ],
    [
      'a kind of another group',
      manifest('v1', 'Deployment'),
      'apiVersion: there is no Deployment in "v1"; write "apps/v1"',
    ],
    [
      'a version that is gone',
      manifest('batch/v1beta1', 'CronJob'),
      'apiVersion: there is no CronJob in "batch/v1beta1"; write "batch/v1"',
    ],
    [
      'a misspelt kind',
      manifest('batch/v1', 'CronJobb'),
      'kind: "CronJobb" is no kind of batch/v1; did you mean "CronJob"?',
    ],
  ])('with %s is told so', (_name, of, expected) => {
    expect(problems(of)).toEqual([expected]);
  });

  it('has all its problems told at once, each where it is', () => {
    const of = manifest('batch/v1', 'CronJob', {
      spec: {
        jobTemplate: {
          spec: {
            suspended: true,
            template: { spec: { containers: [{ name: 'a' }, { name: 'b', env: [{ name: 'E', valu: '1' }] }] } },
          },
        },
      },
    });
    expect(validateManifest(of).map(({ path }) => path)).toEqual([
      'spec.jobTemplate.spec.suspended',
      'spec.jobTemplate.spec.template.spec.containers[b].env[E].valu',
      'spec.schedule',
    ]);
  });

  it.each<[string, JsonObject]>([
    ['a custom resource', manifest('acme.dev/v1', 'Robot', { spec: { arms: 'two' } })],
    [
      'a kind of a version that is not stable',
      manifest('resource.k8s.io/v1beta1', 'ResourceClaim', { spec: { x: 1 } }),
    ],
    ['a status, which the API server drops', manifest('v1', 'Pod', { spec: { containers: [] }, status: { x: 1 } })],
    ['a null, which stands for nothing', { ...manifest('v1', 'Pod'), spec: { containers: [], volumes: null } }],
    ['numbers and text for amounts', pod({ resources: { limits: { cpu: 2, memory: '1e3', 'acme.dev/x': '+.5k' } } })],
    ['a port by name or number', pod({ livenessProbe: { httpGet: { port: 'web' }, initialDelaySeconds: 1 } })],
    ['a port by number', pod({ livenessProbe: { httpGet: { port: 80 } } })],
    ['bytes', manifest('v1', 'ConfigMap', { binaryData: { a: '', b: 'YQ==', c: 'YWI=\n', d: 'YWJj' } })],
    [
      'what a schema of a custom resource holds',
      manifest('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: {
          group: 'acme.dev',
          names: { kind: 'Robot', plural: 'robots' },
          scope: 'Namespaced',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  'x-kubernetes-preserve-unknown-fields': true,
                  properties: { arms: { type: 'array', items: { type: 'string' }, default: [1, null, { a: 'b' }] } },
                  additionalProperties: false,
                },
              },
            },
          ],
        },
      }),
    ],
    ['a raw extension', manifest('apps/v1', 'ControllerRevision', { revision: 1, data: { any: ['thing'] } })],
  ])('may have %s', (_name, of) => {
    expect(problems(of)).toEqual([]);
  });

  it.each([['Container.xyzzy'], ['Container.*'], ['*']])('may have a field that %s allows', (allowed) => {
    expect(problems(pod({ xyzzy: 1 }), allowed)).toEqual([]);
    expect(problems(pod({ image: 1 }), allowed)).toHaveLength(1);
  });
});

describe('part of a pod template', () => {
  it.each<[string, Json]>([
    ['nothing', {}],
    [
      'null, which removes',
      {
        spec: { nodeSelector: null, containers: [{ name: 'main', image: null, resources: { limits: { cpu: null } } }] },
      },
    ],
    ['an item that only names its key', { spec: { volumes: [{ name: 'scratch', $patch: 'delete' }] } }],
    [
      'directives',
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'a' }],
          $retainKeys: ['volumes'],
          nodeSelector: { $patch: 'replace' },
        },
      },
    ],
    ['primitive deletions', { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }],
  ])('may be %s', (_name, part) => {
    expect(validatePartialTemplate(part)).toEqual([]);
  });

  it.each<[string, Json, string]>([
    [
      'a misspelt field',
      { spec: { nodeSelecter: {} } },
      'spec.nodeSelecter: is no field of PodSpec; did you mean "nodeSelector"?',
    ],
    ['a wrong value', { spec: { hostNetwork: 'no' } }, 'spec.hostNetwork: must be true or false, not "no"'],
    [
      'a directive that is none',
      { spec: { $path: 'replace' } },
      'spec.$path: is no field of PodSpec; remove it, or allow "PodSpec.$path" if your clusters know it',
    ],
    ['a spec of its own', { containers: [] }, 'containers: is no field of PodTemplateSpec; known are metadata, spec'],
    ['no object', 'x', 'must be an object (PodTemplateSpec), not "x"'],
  ])('with %s is told so', (_name, part, expected) => {
    expect(validatePartialTemplate(part).map(formatProblem)).toEqual([expected]);
  });

  it('may not have directives where a whole template is asked for', () => {
    expect(problems(pod({ $patch: 'delete' }))).toHaveLength(1);
  });
});

it('the types are those of the Kubernetes that the tests run', () => {
  const module = readFileSync(new URL('../cluster/kubernetes/go.mod', import.meta.url), 'utf8');
  expect(module).toContain(`k8s.io/kubernetes ${KUBERNETES_VERSION}`);
});
