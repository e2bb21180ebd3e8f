import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Layer, LayerKind } from '../../lib/pods/layer.ts';
import { mergeAsServer, mergeLayers, mergePodTemplate, mergeWithOrigins } from '../../lib/pods/merge.ts';
import { fieldSchema } from '../../lib/pods/pod-schema.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import type { Json } from '../../lib/values/json.ts';
import { InvalidError } from '../../lib/values/problems.ts';
import { pairsWith, type Pair } from './compare-merge.ts';
import { drawn } from './draw.ts';
import { allFields } from './field-types.ts';
import { hasTwins, tidyTemplate } from './tidy.ts';

const templates = drawn(tidyTemplate);
const overrides = templates as fc.Arbitrary<PodTemplateOverride>;
// Patches with every directive, beside a template that they have something to do with.
const pairs: fc.Arbitrary<Pair> = fc.constantFrom(...allFields()).chain(pairsWith);
const kinds: readonly LayerKind[] = ['base', 'cluster defaults', 'task', 'step override', 'plan override'];
const layers: fc.Arbitrary<readonly Layer[]> = fc
  .array(overrides, { minLength: 1, maxLength: kinds.length })
  .map((parts) => parts.map((template, place) => ({ kind: kinds[place]!, source: `layer ${place}`, template })));

interface LeafAt {
  readonly path: string;
  readonly value: unknown;
}

/** The leaves of a template by its schema alone. */
function* leavesOf(value: Json, list: unknown, type: string | undefined, path: string): Generator<LeafAt> {
  const step = (name: string) => (/[./]/.test(name) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`);
  if (Array.isArray(value) && value.length > 0 && list !== undefined && list !== 'atomic')
    for (const item of value as readonly Json[]) {
      const id = typeof list === 'object' ? (item as Record<string, Json>)[(list as { key: string }).key]! : item;
      yield* leavesOf(item, undefined, type, `${path}[${String(id)}]`);
    }
  else if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    for (const [field, inner] of Object.entries(value)) {
      const schema = fieldSchema(type, field);
      yield* leavesOf(inner, schema?.list, schema?.type, step(field));
    }
  else yield { path, value };
}

/** What comes of a patch; nothing of one that does not fit, as the API server refuses some too. */
function merged(template: PodTemplate, patch: PodTemplateOverride): PodTemplate | undefined {
  try {
    return mergePodTemplate(template, patch);
  } catch (error) {
    if (error instanceof InvalidError) return undefined;
    throw error;
  }
}

describe('merging pod templates', () => {
  it('over nothing, or nothing over it, leaves a template as it is', () => {
    fc.assert(
      fc.property(templates, (template) => {
        expect(mergePodTemplate(template, {})).toEqual(template);
        expect(mergePodTemplate({}, template as PodTemplateOverride)).toEqual(template);
      }),
    );
  });

  it('is associative over layers', () => {
    fc.assert(
      fc.property(templates, overrides, overrides, (a, b, c) => {
        const together = mergePodTemplate(b as PodTemplate, c) as PodTemplateOverride;
        expect(mergePodTemplate(mergePodTemplate(a, b), c)).toEqual(mergePodTemplate(a, together));
      }),
      { numRuns: 300 },
    );
  });

  it('twice is once, with every directive', () => {
    fc.assert(
      fc.property(pairs, ([template, patch]) => {
        fc.pre(!hasTwins(template) && !hasTwins(patch));
        const once = merged(template, patch);
        fc.pre(once !== undefined);
        expect(mergePodTemplate(once, patch)).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  it('changes neither side, and what it gives may be changed by merging on', () => {
    const frozen = (value: unknown): unknown => {
      if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
      return value;
    };
    fc.assert(
      fc.property(pairs, ([template, patch]) => {
        const before = structuredClone([template, patch]);
        [template, patch].forEach(frozen);
        mergePodTemplate(mergePodTemplate(template, patch), patch);
        expect([template, patch]).toEqual(before);
      }),
    );
  });

  it('leaves no two items of one key where no layer has two', () => {
    fc.assert(
      fc.property(layers, (all) => {
        const { template } = mergeWithOrigins(all);
        const paths = [...leavesOf(template as Json, undefined, 'PodTemplateSpec', '')].map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
      }),
    );
  });

  it('differs from the API server in nothing but the order of items, where no union changes its member', () => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).sort();
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .map(([field, inner]) => [field, sorted(inner)] as const)
          .sort(),
      );
    };
    fc.assert(
      fc.property(templates, overrides, (template, override) => {
        expect(sorted(mergePodTemplate(template, override))).toEqual(sorted(mergeAsServer(template, override)));
      }),
    );
  });
});

describe('provenance', () => {
  it('is complete: every leaf has one origin, with the value that it has', () => {
    fc.assert(
      fc.property(layers, (all) => {
        const { template, origins } = mergeWithOrigins(all);
        const told = origins.leaves().map(({ path, origin }) => ({ path, value: origin.value }));
        const byPath = (a: LeafAt, b: LeafAt) => (a.path < b.path ? -1 : 1);
        const expected =
          Object.keys(template).length === 0
            ? [{ path: '', value: {} }]
            : [...leavesOf(template as Json, undefined, 'PodTemplateSpec', '')];
        expect(told.toSorted(byPath)).toEqual(expected.sort(byPath));
      }),
      { numRuns: 200 },
    );
  });

  it('names the highest layer that sets a leaf, and below it every lower one', () => {
    fc.assert(
      fc.property(layers, (all) => {
        const { origins } = mergeWithOrigins(all);
        const setters = (path: string) =>
          all.filter(({ template }) =>
            [...leavesOf(template as Json, undefined, 'PodTemplateSpec', '')].some((leaf) => leaf.path === path),
          );
        for (const { path, origin } of origins.leaves()) {
          if (JSON.stringify(origin.value) === '{}' || JSON.stringify(origin.value) === '[]') continue;
          const chain: string[] = [];
          for (let at: typeof origin | undefined = origin; at; at = at.replaced) chain.unshift(at.layer.source);
          expect(chain.filter((source) => setters(path).some((layer) => layer.source === source))).toEqual(
            setters(path).map(({ source }) => source),
          );
        }
      }),
    );
  });

  it('merges to the same template as without', () => {
    fc.assert(
      fc.property(layers, (all) => {
        expect(mergeWithOrigins(all).template).toEqual(mergeLayers(all.map(({ template }) => template)));
      }),
    );
  });
});
