import type { ExplainedField } from '../../pods/explanation.ts';
import { explainPods, type ExplainedPod } from '../app/explained-pod.ts';
import { withKeys } from '../app/item-keys.ts';
import { selectFields } from '../app/select-fields.ts';
import type { ExplainOptions } from '../commands/explain.ts';
import type { CliContext } from '../context.ts';
import { readOverride } from '../pods/read-override.ts';
import { formatAnnotated, type AnnotatedLine } from '../terminal/annotated-lines.ts';
import { layerText, paintLayer, replacedText } from '../terminal/origin-text.ts';
import type { Colors } from '../terminal/output.ts';
import { podLines, type PodLine } from '../terminal/pod-lines.ts';

/** `explain`: prints a pod template with where each of its fields comes from. */
export async function explain(
  { out, ...context }: CliContext,
  { pod, app }: { readonly pod: string; readonly app: string },
  options: ExplainOptions,
): Promise<void> {
  const launch = await readOverride(context.cwd, options);
  const [explained] = await explainPods([pod], { app, ...options, launch }, { out, ...context });
  const { fields, ...rest } = explained!;
  const shown = options.field === undefined ? fields : selectFields(fields, options.field, pod);
  if (options.output === 'json') return out.json({ ...rest, fields: shown.map(withoutPlace) });
  const lines = (await podLines(withKeys(shown, fields))).map((line) => annotated(line, out.colors));
  const header = headerLine(explained!, out.colors);
  out.write(formatAnnotated([header, ...lines], out));
}

function headerLine({ name, cluster, plan }: ExplainedPod, { bold }: Colors): AnnotatedLine {
  const where = `${cluster === undefined ? '' : ` on ${cluster}`}${plan === undefined ? '' : ` with plan ${plan}`}`;
  const columns = ['SET BY', 'AT', 'BEFORE'];
  return { text: `${name}${where}`, columns, heading: true, style: (text) => bold(text) };
}

function annotated({ text, field, continued }: PodLine<ExplainedField>, colors: Colors): AnnotatedLine {
  if (field === undefined || continued) return { text };
  const changed = field.replaced.length > 0;
  return {
    text,
    columns: [layerText(field), field.at ?? '', replacedText(field)],
    style: (cell, column) => {
      if (column === undefined)
        return field.value === undefined ? colors.dim(cell) : changed ? colors.bold(cell) : cell;
      return column === 0 ? paintLayer(cell, field, colors) : column === 1 ? colors.dim(cell) : cell;
    },
  };
}

/** For programs: the path says it all. */
function withoutPlace({ place: _, ...field }: ExplainedField): Omit<ExplainedField, 'place'> {
  return field;
}
