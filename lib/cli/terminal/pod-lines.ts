import { isDeepStrictEqual } from 'node:util';
import type { ExplainedField } from '../../pods/explanation.ts';
import type { PlaceStep } from '../../pods/origins.ts';
import type { Json } from '../../values/json.ts';

/** A line of a pod template as YAML. */
export interface PodLine<Field extends Placed> {
  readonly text: string;
  /** The field that it is of; left out where a map or list begins that fields are in. */
  readonly field?: Field;
  /** Whether it is a further line of the field. */
  readonly continued: boolean;
}

/** Something at a place of a template; without a value it was removed. */
export type Placed = Pick<ExplainedField, 'place' | 'value'>;

/** Fields in the order of a template as lines of YAML, with the maps and lists that they are in. A removed field is a comment. */
export async function podLines<Field extends Placed>(fields: readonly Field[]): Promise<PodLine<Field>[]> {
  const { stringify } = await import('yaml');
  const yaml = (value: unknown) => stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
  const lines: PodLine<Field>[] = [];
  let before: readonly PlaceStep[] = [];
  for (const field of fields) {
    const { place, value } = field;
    const removed = value === undefined;
    const last = place.at(-1);
    let dash = -1;
    const add = (content: string, depth: number, of?: Field) => {
      const text = dash < 0 ? indent(depth) + content : `${indent(dash)}- ${content}`;
      if (!content.startsWith('#')) dash = -1;
      lines.push({ text, ...(of && { field: of }), continued: false });
    };
    for (let depth = shared(before, place); depth < place.length - 1; depth++) {
      const step = place[depth]!;
      if (typeof step !== 'string') dash = depth;
      else add(`${yaml(step)[0]}:`, depth);
    }
    const depth = place.length - 1;
    const [first = '', ...rest] = removed ? [`# ${name(last, yaml)}`] : leaf(last, value, yaml);
    add(first, depth, field);
    for (const line of rest) lines.push({ text: indent(depth) + line, field, continued: true });
    // A comment opens no map or list: what comes next in it does.
    if (!removed) before = place;
  }
  return lines;
}

function leaf(step: PlaceStep | undefined, value: Json, yaml: (value: unknown) => string[]): string[] {
  return typeof step === 'string' ? yaml({ [step]: value }) : yaml([value]);
}

function name(step: PlaceStep | undefined, yaml: (value: unknown) => string[]): string {
  return typeof step === 'string' ? `${yaml(step)[0]}:` : `- ${yaml(step?.item)[0]}`;
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

function shared(a: readonly PlaceStep[], b: readonly PlaceStep[]): number {
  const end = Math.min(a.length, b.length);
  for (let depth = 0; depth < end; depth++) if (!isDeepStrictEqual(a[depth], b[depth])) return depth;
  return end;
}
