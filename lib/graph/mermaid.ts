import { edgesOf } from './edges.ts';
import { conditionsOf, mayBeSkipped } from './picture-text.ts';
import type { Graph, StepNode } from './graph.ts';
import { rulesOf } from './step-kinds.ts';

/** Which way a picture of a graph reads. */
export const directions = ['down', 'right'] as const;
export type Direction = (typeof directions)[number];

/** The graph as a Mermaid flowchart: values along solid arrows with the outputs' names, order alone along dotted ones; steps that only wait have round ends. */
export function toMermaid(graph: Graph, direction: Direction = 'down'): string {
  // Step names may be words of Mermaid's own, such as "end".
  const ids = new Map(graph.steps.map(({ name }, index) => [name, `s${index}`]));
  const lines = [`flowchart ${direction === 'down' ? 'TD' : 'LR'}`];
  for (const step of graph.steps) lines.push(`  ${ids.get(step.name)}${shape(step)}`);
  for (const { from, to, kind, labels } of edgesOf(graph)) {
    const arrow = kind === 'order' ? '-.->' : '-->';
    const label = labels.length === 0 ? '' : `|"${escape(labels.join(', '))}"|`;
    lines.push(`  ${ids.get(from)} ${arrow}${label} ${ids.get(to)}`);
  }
  return `${lines.join('\n')}\n`;
}

function shape(step: StepNode): string {
  const texts = [escape(step.name)];
  const caption = rulesOf(step).caption(step);
  if (caption !== undefined) texts.push(`<small>${escape(caption)}</small>`);
  texts.push(...conditionsOf(step).map((text) => `<small>${escape(text)}</small>`));
  if (rulesOf(step).shape === 'pill') return `(["${texts.join('<br>')}"])`;
  if (!mayBeSkipped(step)) return `["${texts.join('<br>')}"]`;
  return `{{"${texts.join('<br>')}"}}`;
}

/** In Mermaid, `#` begins an entity; everything that could end or style a label becomes one. */
function escape(text: string): string {
  return text.replace(/[#"&<>`\\\n;]/g, (character) => `#${character.charCodeAt(0)};`);
}
