import { mergeWithOrigins } from '../../lib/pods/merge.ts';
import type { Layer } from '../../lib/pods/layer.ts';
import { median } from './numbers.ts';

export interface MergeBench {
  /** Milliseconds of each round. */
  readonly merge: readonly number[];
  readonly clone: readonly number[];
  /** Of the medians. */
  readonly ratio: number;
}

/** Merges of the layers of a GPU training step, with provenance, against structuredClone of the same layers, in turns. */
export function benchMerge(merges = 5000, rounds = 9): MergeBench {
  const layers = realisticLayers();
  const templates = layers.map(({ template }) => template);
  const works = { merge: () => mergeWithOrigins(layers).origins, clone: () => structuredClone(templates) };
  const taken = { merge: [] as number[], clone: [] as number[] };
  for (const work of Object.values(works)) timed(work, merges);
  for (let round = 0; round < rounds; round += 1)
    for (const name of ['clone', 'merge'] as const) taken[name].push(timed(works[name], merges));
  return { ...taken, ratio: median(taken.merge) / median(taken.clone) };
}

/** Prints what {@link benchMerge} measured. */
export function printMergeBench(merges = 5000, rounds = 9): void {
  console.log(
    `${merges} merges of ${realisticLayers().length} layers with provenance, ${rounds} rounds of each in turns:`,
  );
  const { merge, clone, ratio } = benchMerge(merges, rounds);
  const line = (name: string, ms: readonly number[]) =>
    console.log(
      `${name.padEnd(16)} ${median(ms).toFixed(1).padStart(7)} ms   ${((median(ms) / merges) * 1000).toFixed(1)} µs each`,
    );
  line('structuredClone', clone);
  line('merge', merge);
  console.log(`${'ratio'.padEnd(16)} ${ratio.toFixed(2).padStart(7)}`);
}

function timed(work: () => unknown, times: number): number {
  const start = performance.now();
  for (let n = 0; n < times; n += 1) work();
  return performance.now() - start;
}

/** What a platform, a task, a step and a plan say about one pod. */
export function realisticLayers(): readonly Layer[] {
  return [
    {
      kind: 'base',
      source: 'cdk8s-workflows',
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main' }] } },
    },
    {
      kind: 'cluster defaults',
      source: 'production',
      template: {
        metadata: {
          labels: { team: 'data', 'app.kubernetes.io/part-of': 'training' },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
        },
        spec: {
          imagePullSecrets: [{ name: 'registry' }],
          priorityClassName: 'batch',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            fsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          initContainers: [
            {
              name: 'proxy',
              image: 'ghcr.io/acme/proxy:2.1',
              restartPolicy: 'Always',
              env: [{ name: 'MODE', value: 'sidecar' }],
              resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '64Mi' } },
              ports: [{ containerPort: 9090, name: 'metrics' }],
            },
          ],
        },
      },
    },
    {
      kind: 'task',
      source: 'training/train',
      template: {
        spec: {
          serviceAccountName: 'trainer',
          nodeSelector: { gpu: 'v100', pool: 'gpu' },
          tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
            { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
          ],
          containers: [
            {
              name: 'main',
              image: 'ghcr.io/acme/train:1.4',
              command: ['python', '-m', 'train'],
              args: ['--epochs', '$(INPUT_EPOCHS)'],
              env: [
                { name: 'NCCL_DEBUG', value: 'INFO' },
                { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hub', key: 'token' } } },
                { name: 'CACHE', value: '/data/cache' },
              ],
              resources: {
                requests: { cpu: '8', memory: '32Gi', 'nvidia.com/gpu': '1' },
                limits: { memory: '32Gi', 'nvidia.com/gpu': '1' },
              },
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'shm', mountPath: '/dev/shm' },
              ],
              livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 30 },
            },
          ],
        },
      },
    },
    {
      kind: 'step override',
      source: 'training/etl/train',
      at: 'main.ts:42',
      template: {
        spec: {
          nodeSelector: { gpu: 'a100' },
          containers: [
            {
              name: 'main',
              resources: { requests: { memory: '64Gi' }, limits: { memory: '64Gi' } },
              env: [{ name: 'NCCL_DEBUG', value: 'WARN' }],
            },
          ],
        },
      },
    },
    {
      kind: 'plan override',
      source: 'training/nightly',
      template: {
        metadata: { labels: { plan: 'nightly' } },
        spec: { priorityClassName: 'nightly', volumes: [{ name: 'shm', emptyDir: { sizeLimit: '8Gi' } }] },
      },
    },
  ];
}
