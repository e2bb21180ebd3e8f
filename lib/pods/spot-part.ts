import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from './node.ts';
import type { PodTemplate } from './template.ts';

/** A template, and part of one with what waits for values. */
interface Split {
  readonly template: PodTemplate;
  readonly holes?: unknown;
}

/** The fields by which a pod gets to spot nodes. */
const PLACEMENT = ['nodeSelector', 'tolerations', 'affinity'] as const;

/**
 * What is merged over a step's template for an attempt on spot nodes: where its placement differs, and all that waits for
 * values. Lists are there as a whole, since it is a plain part of a template, without functions of what is inherited.
 */
export function spotPart(onDemand: Split, onSpot: Split): unknown {
  const placement = PLACEMENT.flatMap((field) => {
    const here = onDemand.template.spec?.[field];
    const there = onSpot.template.spec?.[field];
    return there === undefined || isDeepStrictEqual(here, there) ? [] : [[field, added(there, here)] as const];
  });
  return over({ spec: Object.fromEntries(placement) }, onSpot.holes);
}

/** The fields of a map that another one has not, and everything of what is no map. */
function added(value: unknown, below: unknown): unknown {
  if (!isPlainObject(value) || !isPlainObject(below)) return value;
  const fields = Object.entries(value).filter(([field, inner]) => !isDeepStrictEqual(inner, below[field]));
  return Object.fromEntries(fields.map(([field, inner]) => [field, added(inner, below[field])]));
}

function over(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isPlainObject(above) || !isPlainObject(below)) return above;
  const fields = Object.entries(above).map(([field, inner]) => [field, over(below[field], inner)]);
  return { ...below, ...Object.fromEntries(fields) };
}
