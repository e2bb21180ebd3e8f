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

/** `was "v100" (task train, main.ts:14), "p100" (cluster defaults)`; nothing when nothing was there. */
export function replacedText({ value, replaced }: ExplainedField): string {
  const was = replaced.map(
    (each) => `${each.value === undefined ? 'removed' : show(each.value)} (${authorText(each)})`,
  );
  return [value === undefined ? 'removed' : '', was.length === 0 ? '' : `was ${was.join(', ')}`]
    .filter(Boolean)
    .join(', ');
}

function authorText(value: ExplainedValue): string {
  return [layerText(value), value.at].filter(Boolean).join(', ');
}
