import type { ExplainedField } from '../../pods/explanation.ts';
import { explainPods } from '../app/explained-pod.ts';
import { fieldChanges, type FieldChange } from '../app/field-changes.ts';
import type { CompareOptions } from '../commands/compare.ts';
import type { CliContext } from '../context.ts';
import { formatAnnotated, type AnnotatedLine } from '../terminal/annotated-lines.ts';
import { layerText, paintLayer } from '../terminal/origin-text.ts';
import type { Colors } from '../terminal/output.ts';
import { podLines } from '../terminal/pod-lines.ts';

/** `compare`: prints the fields that two steps' pod templates do not have alike. */
export async function compare(
  context: CliContext,
  { from, to, app }: { readonly from: string; readonly to: string; readonly app: string },
  options: CompareOptions,
): Promise<void> {
  const { out, err } = context;
  const [first, second] = await explainPods([from, to], { app, ...options }, context);
  const changes = fieldChanges(first!, second!);
  if (options.output === 'json')
    return out.json({ from, to, changes: changes.filter(({ same }) => !same).map(toJson) });
  if (changes.length === 0) {
    const same = JSON.stringify(first!.template) === JSON.stringify(second!.template);
    return err.line(same ? 'The pod templates are the same.' : 'The pod templates differ in the order of items only.');
  }
  const header: AnnotatedLine[] = [
    { text: `--- ${from}`, columns: ['SET BY', 'AT'], heading: true, style: (text) => out.colors.bold(text) },
    { text: `+++ ${to}`, style: (text) => out.colors.bold(text) },
  ];
  out.write(formatAnnotated([...header, ...(await changeLines(changes, out.colors))], out));
}

interface Side extends ExplainedField {
  readonly sign: '-' | '+' | ' ';
}

async function changeLines(changes: readonly FieldChange[], colors: Colors): Promise<AnnotatedLine[]> {
  const paints = { '-': colors.red, '+': colors.green, ' ': colors.dim };
  return (await podLines(changes.flatMap(sidesOf))).map(({ text, field, continued }) => {
    const sign = field?.sign ?? ' ';
    const told = field !== undefined && sign !== ' ' && !continued;
    return {
      text: `${sign} ${text}`,
      ...(told && { columns: [layerText(field), field.at ?? ''] }),
      style: (cell, column) =>
        column === undefined ? paints[sign](cell) : column === 0 ? paintLayer(cell, field!, colors) : colors.dim(cell),
    };
  });
}

function sidesOf({ same, before, after }: FieldChange): readonly Side[] {
  if (same) return [{ ...after!, sign: ' ' }];
  return [...(before ? [{ ...before, sign: '-' as const }] : []), ...(after ? [{ ...after, sign: '+' as const }] : [])];
}

function toJson({ path, before, after }: FieldChange) {
  const side = ({ place: _, path: __, ...rest }: ExplainedField) => rest;
  return { path, ...(before && { before: side(before) }), ...(after && { after: side(after) }) };
}
