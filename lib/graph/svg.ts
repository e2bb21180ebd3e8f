import type { Graph } from './graph.ts';
import {
  fontSizes,
  layoutGraph,
  LINE_HEIGHT,
  type Layout,
  type PlacedEdge,
  type PlacedStep,
  type Point,
  type TextLine,
} from './layout.ts';
import { conditionsOf, mayBeSkipped } from './picture-text.ts';
import type { Direction } from './mermaid.ts';
import { rulesOf } from './step-kinds.ts';

/**
 * The graph as an SVG that needs nothing else: values along solid arrows, order alone along dashed ones; steps that may be skipped
 * have a dashed border, steps that only wait round ends. It follows the reader's choice of light or dark.
 */
export async function toSvg(graph: Graph, direction: Direction = 'down'): Promise<string> {
  const layout = await layoutGraph(graph, direction);
  return render(graph, layout);
}

const STYLE = `
  .workflow-graph { --paper: #ffffff; --box: #f6f8fa; --line: #57606a; --border: #afb8c1; --text: #1f2328; --soft: #59636e; --accent: #0969da; --pill: #fff8c5; --pill-border: #d4a72c; }
  @media (prefers-color-scheme: dark) {
    .workflow-graph { --paper: #0d1117; --box: #161b22; --line: #8b949e; --border: #3d444d; --text: #e6edf3; --soft: #9198a1; --accent: #4493f8; --pill: #272115; --pill-border: #9e6a03; }
  }
  .workflow-graph .paper { fill: var(--paper); }
  .workflow-graph .step rect { fill: var(--box); stroke: var(--border); stroke-width: 1.25; }
  .workflow-graph .step.pill rect { fill: var(--pill); stroke: var(--pill-border); }
  .workflow-graph .step.conditional rect { stroke: var(--accent); stroke-dasharray: 5 3; }
  .workflow-graph text { font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; text-anchor: middle; fill: var(--text); }
  .workflow-graph .name { font-size: ${fontSizes.name}px; font-weight: 600; }
  .workflow-graph .caption { font-size: ${fontSizes.caption}px; fill: var(--soft); }
  .workflow-graph .when { font-size: ${fontSizes.when}px; fill: var(--accent); }
  .workflow-graph .edge path { fill: none; stroke: var(--line); stroke-width: 1.4; }
  .workflow-graph .edge.order path { stroke-dasharray: 5 4; }
  .workflow-graph .edge text { font-size: ${fontSizes.edge}px; fill: var(--soft); }
  .workflow-graph .edge rect { fill: var(--paper); }
  .workflow-graph marker path { fill: var(--line); }`;

function render({ workflow }: Graph, { direction, width, height, steps, edges }: Layout): string {
  const size = { width: Math.max(1, width), height: Math.max(1, height) };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="workflow-graph" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escape(`Workflow ${workflow}`)}">`,
    `<title>${escape(workflow)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 1 L10 5 L0 9 z"/></marker></defs>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    ...edges.map((edge) => drawEdge(edge, direction)),
    // Labels come after all lines, so that none runs through them.
    ...edges.map(drawLabel).filter((text) => text !== ''),
    ...steps.map(drawStep),
    '</svg>',
    '',
  ].join('\n');
}

function drawStep({ step, lines, x, y, width, height }: PlacedStep): string {
  const top = y - ((lines.length - 1) * LINE_HEIGHT) / 2;
  const tooltip = [step.name, rulesOf(step).describe(step), ...conditionsOf(step)].join('\n');
  const { shape } = rulesOf(step);
  const classes = `step ${shape}${mayBeSkipped(step) ? ' conditional' : ''}`;
  const rect = `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${width}" height="${height}" rx="${shape === 'pill' ? height / 2 : 7}"/>`;
  const texts = lines.map((line, index) => drawLine(line, x, top + index * LINE_HEIGHT)).join('');
  return `<g class="${classes}"><title>${escape(tooltip)}</title>${rect}${texts}</g>`;
}

function drawLine({ text, kind }: TextLine, x: number, y: number): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" dy="0.35em">${escape(text)}</text>`;
}

function drawEdge({ edge, points }: PlacedEdge, direction: Direction): string {
  const said = edge.kind === 'data' || edge.labels.length > 0 ? edge.labels.join(', ') : 'order only';
  const tooltip = `${edge.from} → ${edge.to}${said === '' ? '' : `: ${said}`}`;
  return `<g class="edge ${edge.kind}"><title>${escape(tooltip)}</title><path d="${curve(points, direction)}" marker-end="url(#arrow)"/></g>`;
}

function drawLabel({ edge, label }: PlacedEdge): string {
  if (label === undefined) return '';
  const { x, y, width, text } = label;
  const title = `<title>${escape(`${edge.from} → ${edge.to}: ${edge.labels.join(', ')}`)}</title>`;
  const rect = `<rect x="${round(x - width / 2)}" y="${round(y - 9)}" width="${width}" height="18" rx="3"/>`;
  return `<g class="edge">${title}${rect}<text x="${round(x)}" y="${round(y)}" dy="0.35em">${escape(text)}</text></g>`;
}

/** A line through all points, which at each of them goes straight in the direction of the picture. */
function curve([first, ...rest]: readonly Point[], direction: Direction): string {
  if (first === undefined) return '';
  const parts = [`M${at(first)}`];
  let from = first;
  for (const to of rest) {
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    const [bend, unbend] =
      direction === 'down'
        ? [
            { x: from.x, y: middle.y },
            { x: to.x, y: middle.y },
          ]
        : [
            { x: middle.x, y: from.y },
            { x: middle.x, y: to.y },
          ];
    parts.push(`C${at(bend)} ${at(unbend)} ${at(to)}`);
    from = to;
  }
  return parts.join(' ');
}

const at = ({ x, y }: Point) => `${round(x)} ${round(y)}`;
const round = (value: number) => Math.round(value * 10) / 10;

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
