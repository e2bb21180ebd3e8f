import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Layer, LayerKind } from '../../lib/pods/layer.ts';
import { applyPolicy, mergeWithOrigins } from '../../lib/pods/merge.ts';
import { implies } from '../../lib/pods/node-affinity.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { InvalidError } from '../../lib/values/problems.ts';
import { drawn } from './draw.ts';
import { tidyTemplate } from './tidy.ts';

const layer = (kind: LayerKind, spec: object, source: string = kind, at?: string): Layer => ({
  kind,
  source,
  ...(at !== undefined && { at }),
  template: { spec } as PodTemplateOverride,
});
const policy = (spec: object) => layer('cluster policy', spec, 'production', 'fleet.ts:7');
const specOf = (...layers: Layer[]) => mergeWithOrigins(layers).template.spec;
const problemsOf = (...layers: Layer[]) => {
  try {
    mergeWithOrigins(layers);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.problems;
    throw error;
  }
};
const required = (...terms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
});
const has = (key: string, ...values: string[]) => ({ matchExpressions: [{ key, operator: 'In', values }] });

describe('a cluster policy', () => {
  it('fills what nobody set, and what only the platform itself set', () => {
    const held = policy({ automountServiceAccountToken: false, nodeSelector: { pool: 'batch' } });
    expect(specOf(layer('task', { nodeSelector: { gpu: 'a100' } }), held)).toEqual({
      automountServiceAccountToken: false,
      nodeSelector: { gpu: 'a100', pool: 'batch' },
    });
    expect(specOf(layer('cluster defaults', { automountServiceAccountToken: true }), held)).toMatchObject({
      automountServiceAccountToken: false,
    });
  });

  it('comes last, wherever it stands', () => {
    const held = policy({ priorityClassName: 'low' });
    expect(specOf(held, layer('base', { priorityClassName: 'high' }))).toEqual({ priorityClassName: 'low' });
  });

  it('agrees with a layer that says the same', () => {
    expect(problemsOf(layer('run override', { hostNetwork: false }), policy({ hostNetwork: false }))).toEqual([]);
  });

  it.each<[string, object, object, string, string]>([
    ['a field', { hostNetwork: true }, { hostNetwork: false }, 'spec.hostNetwork', 'is true and must be false'],
    [
      'an entry of a map',
      { nodeSelector: { pool: 'own' } },
      { nodeSelector: { pool: 'batch' } },
      'spec.nodeSelector.pool',
      'is "own" and must be "batch"',
    ],
    [
      'a field of an item',
      { containers: [{ name: 'main', securityContext: { privileged: true } }] },
      { containers: [{ name: 'main', securityContext: { privileged: false } }] },
      'spec.containers[main].securityContext.privileged',
      'is true and must be false',
    ],
    [
      'a field that must stay unset',
      { hostPID: true },
      { hostPID: null },
      'spec.hostPID',
      'is true and must not be set',
    ],
    [
      'another member of a union',
      { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      { volumes: [{ name: 'v', emptyDir: {} }] },
      'spec.volumes[v].hostPath',
      'is {"path":"/"} and must not be set',
    ],
  ])('names both layers when a lower one sets %s to something else', (_name, below, held, path, message) => {
    expect(problemsOf(layer('step override', below, 'etl/train', 'main.ts:12'), policy(held))).toEqual([
      {
        path,
        message: `${message}: step override of etl/train (main.ts:12) set it, cluster policy of production (fleet.ts:7) holds it`,
        fix: 'leave it out of the step override, or have the policy changed',
      },
    ]);
  });

  it('reports all contradictions at once', () => {
    const below = layer('task', { hostPID: true, hostIPC: true });
    expect(problemsOf(below, policy({ hostPID: false, hostIPC: false }))).toHaveLength(2);
  });

  it('adds its tolerations to those that are there, once', () => {
    const a = { key: 'a', operator: 'Exists' };
    const b = { key: 'b', operator: 'Exists' };
    expect(specOf(layer('task', { tolerations: [a] }), policy({ tolerations: [a, b] }))).toEqual({
      tolerations: [a, b],
    });
  });

  it('lets no pod escape by an alternative of its own: required terms are AND-ed by cross product', () => {
    const spec = specOf(
      layer('task', required(has('gpu', 'a100'), has('gpu', 'v100'))),
      policy(required(has('zone', 'x'), has('zone', 'y'))),
    );
    const terms = spec!.affinity!.nodeAffinity!.requiredDuringSchedulingIgnoredDuringExecution!.nodeSelectorTerms;
    expect(
      terms.map(({ matchExpressions }) => matchExpressions!.map(({ values }) => values!.join()).join('&')),
    ).toEqual(['a100&x', 'a100&y', 'v100&x', 'v100&y']);
  });

  it('says when required terms can never match together', () => {
    const [problem] = problemsOf(layer('task', required(has('zone', 'z')), 'etl'), policy(required(has('zone', 'x'))));
    expect(problem).toMatchObject({
      path: 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms',
      message:
        'zone In z can never match together with zone In x: task of etl set it, cluster policy of production (fleet.ts:7) holds it',
    });
  });

  it('says when the node selector leaves no node that its affinity allows', () => {
    const [problem] = problemsOf(
      layer('task', { nodeSelector: { zone: 'z' } }, 'etl'),
      policy(required(has('zone', 'x'))),
    );
    expect(problem).toMatchObject({
      path: 'spec.nodeSelector',
      message:
        '{"zone":"z"} (task of etl) matches no node that the required node affinity of cluster policy of production (fleet.ts:7) allows',
    });
  });

  it('may be a function of what it finds', () => {
    const atMost = policy({ terminationGracePeriodSeconds: (seconds = 30) => Math.min(seconds, 60) });
    expect(specOf(layer('task', { terminationGracePeriodSeconds: 600 }), atMost)).toEqual({
      terminationGracePeriodSeconds: 60,
    });
    expect(specOf(layer('task', { terminationGracePeriodSeconds: 5 }), atMost)).toEqual({
      terminationGracePeriodSeconds: 5,
    });
  });

  it('of the fleet and one of the cluster contradict each other like any layers', () => {
    const fleet = layer('cluster policy', { hostPID: false }, 'fleet');
    expect(problemsOf(fleet, policy({ hostPID: true }))).toHaveLength(1);
  });

  it('knows no directives', () => {
    expect(problemsOf(policy({ nodeSelector: { $patch: 'replace' } }))[0]).toMatchObject({
      path: 'spec.nodeSelector',
      message: '$patch has no meaning in a policy (cluster policy of production (fleet.ts:7))',
    });
  });
});

describe('no lower layer weakens a policy', () => {
  const unions = /\.(tolerations|drop|(preferred|required)DuringSchedulingIgnoredDuringExecution)$/;
  const templates = drawn(tidyTemplate);

  it('whatever it says, it is refused or the policy holds; and applying it again changes nothing', () => {
    let held = 0;
    const layers = fc.array(templates, { maxLength: 3 });
    fc.assert(
      fc.property(layers, templates, fc.boolean(), (below, policyTemplate, ours) => {
        const lower = below.map((template, place): Layer => ({
          kind: ours ? 'cluster defaults' : 'task',
          source: String(place),
          template: template as PodTemplateOverride,
        }));
        const top: Layer = { kind: 'cluster policy', source: 'p', template: policyTemplate as PodTemplateOverride };
        let merged: PodTemplate;
        try {
          merged = mergeWithOrigins([...lower, top]).template;
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidError);
          return;
        }
        held++;
        const { origins } = mergeWithOrigins([{ ...top, kind: 'task' }]);
        const after = mergeWithOrigins([{ kind: 'task', source: '', template: merged as PodTemplateOverride }]).origins;
        for (const { path, origin } of origins.leaves()) {
          const now = after.at(path)?.value;
          if (path.endsWith('.nodeSelectorTerms'))
            for (const term of now as object[])
              expect((origin.value as object[]).some((wanted) => implies(term, wanted))).toBe(true);
          else if (unions.test(path) && Array.isArray(now))
            expect(now).toEqual(expect.arrayContaining(origin.value as unknown as unknown[]));
          else if (JSON.stringify(origin.value) !== '{}' && JSON.stringify(origin.value) !== '[]')
            expect(now).toEqual(origin.value);
        }
        expect(applyPolicy(merged, top).template).toEqual(merged);
      }),
      { numRuns: 400 },
    );
    expect(held).toBeGreaterThan(100);
  });

  it.each(['required', 'empty'])('not even by terms that match nothing (%s)', (kind) => {
    const below = layer('task', required(...(kind === 'empty' ? [{}] : [{ matchExpressions: [] }, {}])));
    expect(problemsOf(below, policy(required(has('zone', 'x'))))).toHaveLength(1);
  });
});
