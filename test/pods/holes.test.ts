import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toSource } from '../../constructs/sources.ts';
import { resolve } from '../../lib/engine/resolve.ts';
import { fillReferences, holesOverride, splitHoles } from '../../lib/pods/holes.ts';
import type { Layer } from '../../lib/pods/layer.ts';
import { mergeLayers, mergePodTemplate, mergeWithOrigins } from '../../lib/pods/merge.ts';
import { fieldSchema, POD_TEMPLATE } from '../../lib/pods/pod-schema.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import type { Json, JsonObject } from '../../lib/values/json.ts';
import { Reference, type AnyReference } from '../../lib/values/reference.ts';
import { drawn, type Draw } from './draw.ts';
import { tidyTemplate } from './tidy.ts';

const workflow = { name: 'w' };
const input = (name: string) => new Reference(workflow, { input: name }, {}) as AnyReference;
const layersOf = (...templates: readonly unknown[]): readonly Layer[] =>
  templates.map((template, place) => ({
    kind: place === 0 ? 'task' : 'step override',
    source: `layer ${place}`,
    template: template as PodTemplateOverride,
  }));

/** The template that synth writes of layers, and the pod that a run makes of it. */
function run(layers: readonly Layer[], inputs: JsonObject) {
  const { template, holes } = splitHoles(mergeWithOrigins(layers));
  const values = resolve(toSource(holes ?? {}, workflow), {
    inputs,
    outputs: () => undefined,
    lacks: () => true,
    status: () => undefined,
    holds: () => false,
  });
  return { template, pod: mergePodTemplate(template, holesOverride(values as PodTemplateOverride, template)) };
}

const [a, b] = [input('a'), input('b')];
const main = (fields: object) => ({ spec: { containers: [{ name: 'main', ...fields }] } });
const spec = (fields: object) => ({ spec: fields });

describe('a value of the workflow in a pod template', () => {
  it.each<[string, readonly unknown[], JsonObject, unknown, unknown]>([
    [
      'is filled in',
      [spec({ nodeSelector: { gpu: a } })],
      { a: 'a100' },
      { nodeSelector: {} },
      { nodeSelector: { gpu: 'a100' } },
    ],
    [
      'stands over a fixed one, which holds when there is none',
      [spec({ priorityClassName: 'low' }), spec({ priorityClassName: a })],
      {},
      { priorityClassName: 'low' },
      { priorityClassName: 'low' },
    ],
    [
      'stands over a fixed one',
      [spec({ priorityClassName: 'low' }), spec({ priorityClassName: a })],
      { a: 'high' },
      { priorityClassName: 'low' },
      { priorityClassName: 'high' },
    ],
    [
      'is gone below a fixed one',
      [spec({ priorityClassName: a }), spec({ priorityClassName: 'low' })],
      { a: 'high' },
      { priorityClassName: 'low' },
      { priorityClassName: 'low' },
    ],
    [
      'is gone below a removal',
      [spec({ priorityClassName: a }), spec({ priorityClassName: null })],
      { a: 'high' },
      {},
      {},
    ],
    [
      'stands over another one, which is asked when there is none',
      [spec({ priorityClassName: 'low' }), spec({ priorityClassName: b }), spec({ priorityClassName: a })],
      { b: 'middle' },
      { priorityClassName: 'low' },
      { priorityClassName: 'middle' },
    ],
    [
      'does not bring back what was removed below it',
      [spec({ hostname: 'x' }), spec({ hostname: null }), spec({ hostname: a })],
      {},
      {},
      {},
    ],
    [
      'leaves the rest of a list that merges by key as it is',
      [main({ image: 'i:1', env: [{ name: 'A', value: 'x' }] }), main({ env: [{ name: 'B', value: a }] })],
      { a: 'y' },
      { containers: [{ name: 'main', image: 'i:1', env: [{ name: 'A', value: 'x' }, { name: 'B' }] }] },
      {
        containers: [
          {
            name: 'main',
            image: 'i:1',
            env: [
              { name: 'A', value: 'x' },
              { name: 'B', value: 'y' },
            ],
          },
        ],
      },
    ],
    [
      'takes a variable with it when there is none',
      [main({ env: [{ name: 'A', value: a }] })],
      {},
      { containers: [{ name: 'main', env: [{ name: 'A' }] }] },
      { containers: [{ name: 'main', env: [] }] },
    ],
    [
      'makes the whole of a list without keys wait',
      [spec({ tolerations: [{ key: 'old' }] }), spec({ tolerations: [{ key: 'gpu', value: a }, { key: 'team' }] })],
      { a: 'v100' },
      { tolerations: [{ key: 'old' }] },
      { tolerations: [{ key: 'gpu', value: 'v100' }, { key: 'team' }] },
    ],
    [
      'is left out of such a list when there is none',
      [main({ args: ['--size', a, '--all'] })],
      {},
      { containers: [{ name: 'main' }] },
      { containers: [{ name: 'main', args: ['--size', '--all'] }] },
    ],
    [
      'passes through a function of what is inherited',
      [
        spec({ tolerations: [{ key: a }] }),
        spec({ tolerations: (inherited: object[]) => [...inherited, { key: 'team' }] }),
      ],
      { a: 'gpu' },
      {},
      { tolerations: [{ key: 'gpu' }, { key: 'team' }] },
    ],
    [
      'comes out of a function of what is inherited',
      [spec({ hostname: 'x' }), spec({ hostname: () => a })],
      { a: 'y' },
      { hostname: 'x' },
      { hostname: 'y' },
    ],
    [
      'is text where an amount is text',
      [main({ resources: { limits: { cpu: a, memory: b } } })],
      { a: 2, b: '8Gi' },
      { containers: [{ name: 'main', resources: { limits: {} } }] },
      { containers: [{ name: 'main', resources: { limits: { cpu: '2', memory: '8Gi' } } }] },
    ],
    [
      'is what it is elsewhere',
      [spec({ hostNetwork: a, activeDeadlineSeconds: b })],
      { a: false, b: 60 },
      {},
      { hostNetwork: false, activeDeadlineSeconds: 60 },
    ],
    [
      'reaches the program as it is, whatever a kubelet would expand in it',
      [main({ env: [{ name: 'A', value: a }], args: [a, '$(A)'] })],
      { a: '$(HOME) costs $$5' },
      { containers: [{ name: 'main', env: [{ name: 'A' }] }] },
      {
        containers: [
          {
            name: 'main',
            env: [{ name: 'A', value: '$$(HOME) costs $$$$5' }],
            args: ['$$(HOME) costs $$$$5', '$(A)'],
          },
        ],
      },
    ],
    [
      'has a placeholder where Kubernetes takes no template without, and leaves the pull policy to Kubernetes',
      [main({ image: a })],
      { a: 'i:1' },
      { containers: [{ name: 'main', image: 'at-run-time' }] },
      { containers: [{ name: 'main', image: 'i:1' }] },
    ],
    [
      'never leaves the placeholder in a pod',
      [main({ image: a })],
      {},
      { containers: [{ name: 'main', image: 'at-run-time' }] },
      { containers: [{ name: 'main' }] },
    ],
  ])('%s', (_name, templates, inputs, template, pod) => {
    expect(run(layersOf(...templates), inputs)).toEqual({ template: { spec: template }, pod: { spec: pod } });
  });

  it('leaves the pull policy to Kubernetes, which goes by the image of the run, unless somebody has set it', () => {
    const holesOf = (...templates: readonly object[]) =>
      (splitHoles(mergeWithOrigins(layersOf(...templates))).holes as PodTemplate).spec?.containers[0];
    expect(holesOf(main({ image: a }))).toHaveProperty('imagePullPolicy', null);
    expect(holesOf(main({ image: a, imagePullPolicy: 'Never' }))).not.toHaveProperty('imagePullPolicy');
    expect(holesOf(main({ workingDir: a }))).not.toHaveProperty('imagePullPolicy');
  });

  it.each<[string, readonly unknown[], string]>([
    [
      'is no key of a list',
      [main({}), spec({ containers: [{ name: a, image: 'i' }] })],
      'spec.containers: the name of an item is inputs.a, and items are merged by it (step override of layer 1); write it out',
    ],
    [
      'is no key of a list where nothing is inherited',
      [spec({ imagePullSecrets: [{ name: a }] })],
      'spec.imagePullSecrets: the name of an item is inputs.a, and items are merged by it (task of layer 0); write it out',
    ],
    [
      'is no part of a text, in a function of what is inherited',
      [spec({ hostname: a }), spec({ hostname: (inherited: string) => `${inherited}-x` })],
      'spec.hostname: inputs.a is not known before the workflow runs, so it cannot be part of a string; pass it to a step as an input of its own (step override of layer 1)',
    ],
    [
      'does not get past a policy',
      [spec({ hostNetwork: a })],
      'spec.hostNetwork: is inputs.a and must be false: task of layer 0 set it, cluster policy of eu holds it; leave it out of the task, or have the policy changed',
    ],
  ])('%s', (_name, templates, problem) => {
    const policy: Layer = { kind: 'cluster policy', source: 'eu', template: spec({ hostNetwork: false }) };
    expect(() => mergeWithOrigins([...layersOf(...templates), policy])).toThrow(problem);
  });
});

describe('splitting a template and filling it in', () => {
  /** Some values of a template in the hands of the workflow, with what they are at run time, if anything. */
  function withReferences(draw: Draw, inputs: Record<string, Json>) {
    const replace = (value: Json, type: string | undefined, key?: string): unknown => {
      if (Array.isArray(value)) return (value as readonly Json[]).map((item) => replace(item, type, key));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(
          Object.entries(value).map(([field, inner]) => {
            const schema = fieldSchema(type, field);
            const kept = field === key || schema?.list === 'set';
            const itemKey = typeof schema?.list === 'object' ? schema.list.key : undefined;
            return [field, kept ? inner : replace(inner, schema?.type, itemKey)];
          }),
        );
      if (!draw.oneIn(3)) return value;
      const name = `v${Object.keys(inputs).length}`;
      inputs[name] = draw.oneIn(4) ? (null as Json) : value;
      return input(name);
    };
    return replace(tidyTemplate(draw) as Json, POD_TEMPLATE) as PodTemplateOverride;
  }

  const cases = drawn((draw) => {
    const inputs: Record<string, Json> = {};
    const templates = [1, 2, 3].map(() => withReferences(draw, inputs));
    const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));
    return { templates, given };
  });

  /** What lists and maps leave behind that have nothing in them says nothing. */
  const tidied = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(tidied);
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).map(([field, inner]) => [field, tidied(inner)] as const);
    const says = (inner: unknown) => inner !== undefined && !['{}', '[]'].includes(JSON.stringify(inner));
    return Object.fromEntries(fields.filter(([, inner]) => says(inner)));
  };

  it('is filling in the layers and merging them', () => {
    fc.assert(
      fc.property(cases, ({ templates, given }) => {
        const filled = templates.map((template) =>
          fillReferences(template, ({ origin }) => given[(origin as { input: string }).input]),
        );
        expect(tidied(run(layersOf(...templates), given).pod)).toEqual(tidied(mergeLayers(filled)));
      }),
      { numRuns: 1000 },
    );
  });

  it('changes nothing where there is nothing to fill in', () => {
    fc.assert(
      fc.property(drawn(tidyTemplate), (template) => {
        const split = splitHoles(mergeWithOrigins(layersOf(template)));
        expect(split).toEqual({ template, places: [] });
      }),
    );
  });
});
