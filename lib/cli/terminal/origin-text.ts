import type { ExplainedField, ExplainedValue } from '../../pods/explanation.ts';
import { show } from '../../values/problems.ts';
import type { Colors } from './output.ts';

type Author = Pick<ExplainedValue, 'layer' | 'source'>;

/** A layer in a word or two. Of the kinds, only a task's and a run's do not follow from the step, plan and cluster asked for. */
export function layerText({ layer, source }: Author): string {
  if (layer === 'task') return `task ${source.split('/').at(-1)}`;
  return layer === 'run override' ? `run override ${source}`.trimEnd() : layer;
}

/** In the colour of its layer: the platform's own are quiet, the higher ones stand out. */
export function paintLayer(text: string, { layer }: Author, colors: Colors): string {
  const paints: Readonly<Record<ExplainedValue['layer'], (text: string) => string>> = {
    base: colors.dim,
    'cluster defaults': colors.blue,
    task: colors.cyan,
    'step override': colors.yellow,
    'plan override': colors.magenta,
    'run override': colors.magenta,
    'cluster policy': colors.red,
  };
  return paints[layer](text);
}

/** `was "v100" (task train, main.ts:14)`, a line for each value that was there before, latest first. */
export function replacedText({ value, replaced }: ExplainedField): string {
  const was = replaced.map(
    (each) => `was ${each.value === undefined ? 'removed' : show(each.value)} (${authorText(each)})`,
  );
  const [first, ...rest] = was;
  return [[value === undefined ? 'removed' : '', first].filter(Boolean).join(', '), ...rest].join('\n');
}

function authorText(value: ExplainedValue): string {
  return [layerText(value), value.at].filter(Boolean).join(', ');
}
