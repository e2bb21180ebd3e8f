import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { mergeAsServer } from '../../lib/pods/merge.ts';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { InvalidError } from '../../lib/values/problems.ts';
import type { ApiServer, Patched } from './api-server.ts';
import { drawn } from './draw.ts';
import { allFields, fieldsIn, type FieldPath } from './field-types.ts';
import { makePatch } from './make-patch.ts';
import { makeObject } from './make-template.ts';

/** A template and a patch for it. */
export type Pair = readonly [template: PodTemplate, patch: PodTemplateOverride];

/** Templates and patches that both have one field, and others by chance. */
export function pairsWith({ way }: FieldPath): fc.Arbitrary<Pair> {
  return drawn((draw): Pair => {
    const template = makeObject(draw, 'PodTemplateSpec', way);
    return [template as PodTemplate, makePatch(draw, template, 'PodTemplateSpec', way) as PodTemplateOverride];
  });
}

/** What the API server and we make of a pair, when that is not the same. */
export interface Difference {
  readonly pair: Pair;
  readonly theirs: Patched;
  readonly ours: Patched;
}

export interface Comparison {
  readonly pairs: number;
  /** Pairs that both refuse. */
  readonly refused: number;
  /** `<type>.<field>`s that some template or patch had. */
  readonly reached: ReadonlySet<string>;
  readonly fields: number;
  /** How many patches had a directive, or `null`, by its name. */
  readonly directives: ReadonlyMap<string, number>;
  readonly differences: readonly Difference[];
}

/** How long a difference may be made smaller. */
const SHRINK_MS = 20_000;

/** Merges pairs here and in the API server, one field of the pod template after the other, until a difference was found. */
export async function compareMerges(server: ApiServer, pairs: number, seed: number, atOnce = 6): Promise<Comparison> {
  const focuses = allFields();
  const reached = new Set<string>();
  const differences: Difference[] = [];
  const directives = new Map<string, number>();
  let refused = 0;
  let next = 0;
  const work = async () => {
    while (next < pairs && differences.length === 0) {
      const place = next++;
      let found: Difference | undefined;
      const property = fc.asyncProperty(pairsWith(focuses[place % focuses.length]!), async (pair) => {
        for (const side of pair) fieldsIn(side, 'PodTemplateSpec', reached);
        for (const name of directivesIn(pair[1])) directives.set(name, (directives.get(name) ?? 0) + 1);
        const difference = await differenceOf(server, pair);
        if (difference === 'refused') refused++;
        else if (difference !== undefined) found = difference;
        return difference === undefined || difference === 'refused';
      });
      const result = await fc.check(property, {
        numRuns: 1,
        seed: seed + place,
        interruptAfterTimeLimit: SHRINK_MS,
      });
      // The last difference that shrinking came upon is the smallest.
      if (found !== undefined) differences.push(found);
      else if (result.failed) throw result.errorInstance;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { pairs: next, refused, reached, fields: focuses.length, directives, differences };
}

/** What differs for one pair; `refused` when both sides refuse it. */
async function differenceOf(server: ApiServer, pair: Pair): Promise<Difference | 'refused' | undefined> {
  const [template, patch] = pair;
  const theirs = await server.patch(template, patch);
  const ours = await mergedHere(server, await server.normalize(template), patch);
  if ('refused' in theirs && 'refused' in ours) return 'refused';
  return isDeepStrictEqual(theirs, ours) ? undefined : { pair, theirs, ours };
}

async function mergedHere(server: ApiServer, template: PodTemplate, patch: PodTemplateOverride): Promise<Patched> {
  try {
    return { merged: await server.normalize(mergeAsServer(template, patch)) };
  } catch (error) {
    if (error instanceof InvalidError) return { refused: error.message };
    throw error;
  }
}

function directivesIn(patch: PodTemplateOverride): ReadonlySet<string> {
  const found = new Set<string>();
  JSON.stringify(patch, (field, value: unknown) => {
    if (value === null) found.add('null');
    if (field.startsWith('$')) found.add(field === '$patch' ? `$patch: ${String(value)}` : field.split('/')[0]!);
    return value;
  });
  return found;
}
