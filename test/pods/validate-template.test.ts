import { describe, expect, it } from 'vitest';
import type { PodTemplate } from '../../lib/pods/template.ts';
import { validateTemplate } from '../../lib/pods/validate-template.ts';
import { formatProblem } from '../../lib/values/problems.ts';

const told = (spec: object, metadata?: object) =>
  validateTemplate({ ...(metadata && { metadata }), spec } as PodTemplate).map(formatProblem);
const main = (fields: object = {}) => ({ name: 'main', image: 'a:1', ...fields });

describe('a template', () => {
  it('that is right has no problems', () => {
    const spec = {
      serviceAccountName: 'trainer.v2',
      nodeSelector: { 'nvidia.com/gpu.product': 'A100' },
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [{ name: 'proxy', image: 'p' }],
      containers: [
        main({
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          resources: {
            requests: { cpu: '500m', memory: '1Gi', 'nvidia.com/gpu': 1 },
            limits: { memory: '1024Mi', 'nvidia.com/gpu': '1' },
          },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        }),
      ],
    };
    expect(told(spec, { labels: { 'app.kubernetes.io/name': 'etl', empty: '' } })).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'two containers of one name',
      { containers: [main(), main()] },
      'spec.containers[main]: there are 2 containers of this name; rename one, or leave it out',
    ],
    [
      'a sidecar with the name of a container',
      { initContainers: [main({ restartPolicy: 'Always' })], containers: [main()] },
      'spec.initContainers[main]: has the name of a container in spec.containers; all containers of a pod need names of their own: rename one',
    ],
    [
      'a mount without its volume',
      {
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [main({ volumeMounts: [{ name: 'dta', mountPath: '/d' }] })],
      },
      'spec.containers[main].volumeMounts[/d]: there is no volume "dta"; did you mean "data"?',
    ],
    [
      'a path that is mounted twice',
      {
        volumes: [{ name: 'a' }, { name: 'b' }],
        containers: [
          main({
            volumeMounts: [
              { name: 'a', mountPath: '/d' },
              { name: 'b', mountPath: '/d' },
            ],
          }),
        ],
      },
      'spec.containers[main].volumeMounts[/d]: is mounted twice; leave one out: a path has one volume',
    ],
    [
      'two volumes of one name',
      { volumes: [{ name: 'a' }, { name: 'a' }], containers: [main()] },
      'spec.volumes[a]: there are 2 volumes of this name; rename one, or leave it out',
    ],
    [
      'a request above its limit',
      { containers: [main({ resources: { requests: { memory: '8Gi' }, limits: { memory: '8G' } } })] },
      'spec.containers[main].resources.requests.memory: "8Gi" is above the limit of "8G"; lower the request or raise the limit',
    ],
    [
      'an invalid quantity',
      { containers: [main({ resources: { limits: { memory: '8GB' } } })] },
      'spec.containers[main].resources.limits.memory: "8GB" is no quantity, such as 500m, 2, 1.5Gi or 1e3; did you mean "8G"?',
    ],
    [
      'a negative quantity',
      { containers: [main({ resources: { limits: { cpu: -1 } } })] },
      'spec.containers[main].resources.limits.cpu: -1 is negative; give an amount from 0',
    ],
    [
      'a device whose request is not its limit',
      { containers: [main({ resources: { requests: { 'nvidia.com/gpu': 1 } } })] },
      'spec.containers[main].resources.limits[nvidia.com/gpu]: is missing; set it to 1, as the request: devices need both equal',
    ],
    [
      'part of a device',
      { containers: [main({ resources: { limits: { 'nvidia.com/gpu': '500m' } } })] },
      'spec.containers[main].resources.limits[nvidia.com/gpu]: "500m" is not whole; devices are given whole',
    ],
    [
      'a container without an image',
      { containers: [{ name: 'main' }] },
      'spec.containers[main].image: is missing; set the image that the container runs',
    ],
    [
      'a name that Kubernetes refuses',
      { containers: [main({ name: 'Main_1' })] },
      'spec.containers[Main_1].name: "Main_1" must be lower-case letters, digits and "-", and begin and end with a letter or digit; rename it',
    ],
    [
      'a node selector value that is no label value',
      { nodeSelector: { gpu: 'a 100' }, containers: [main()] },
      'spec.nodeSelector.gpu: "a 100" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit; rename it',
    ],
    [
      'a node selector value that is no text',
      { nodeSelector: { spot: true }, containers: [main()] },
      'spec.nodeSelector.spot: must be text, not true; write "true"',
    ],
    [
      'a variable with a value and a source',
      { containers: [main({ env: [{ name: 'A', value: '1', valueFrom: {} }] })] },
      'spec.containers[main].env[A]: has both value and valueFrom; keep one',
    ],
    [
      'a variable whose value is no text',
      { containers: [main({ env: [{ name: 'A', value: 1 }] })] },
      'spec.containers[main].env[A].value: must be text, not 1; write "1"',
    ],
    [
      'a service account that can have no such name',
      { serviceAccountName: 'A B', containers: [main()] },
      'spec.serviceAccountName: "A B" must be lower-case letters, digits, "-" and ".", and begin and end with a letter or digit; rename it',
    ],
    ['no container', { containers: [] }, 'spec.containers: is empty; a pod needs a container'],
  ])('with %s has one problem', (_name, spec, problem) => {
    expect(told(spec)).toEqual([problem]);
  });

  it('with labels that Kubernetes refuses has a problem for each', () => {
    const labels = { 'a/b/c': 'x', ok: '-no' };
    expect(told({ containers: [main()] }, { labels, annotations: { 'a b': 'any text' } })).toEqual([
      'metadata.labels[a/b/c]: the key "a/b/c" has more than one "/"; rename it',
      'metadata.labels.ok: "-no" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit; rename it',
      'metadata.annotations.a b: "a b" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit; rename it',
    ]);
  });

  it('is not judged where a run gives the value', () => {
    const hole = { input: 'memory' };
    expect(
      told({
        nodeSelector: { gpu: hole },
        containers: [main({ image: hole, env: [{ name: 'A', value: hole }], resources: { limits: { memory: hole } } })],
      }),
    ).toEqual([]);
  });
});
