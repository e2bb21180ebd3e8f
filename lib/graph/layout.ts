import { edgesOf, type Edge } from './edges.ts';
import { roles, type Graph, type StepNode } from './graph.ts';
import type { Direction } from './mermaid.ts';
import { conditionsOf } from './picture-text.ts';
import { rulesOf } from './step-kinds.ts';
import { textLength } from './text-length.ts';

/** A step with its place: the middle, in pixels. */
export interface PlacedStep {
  readonly step: StepNode;
  readonly lines: readonly TextLine[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: Edge;
  readonly points: readonly Point[];
  /** Left out when there is nothing to say; `x` and `y` are its middle. */
  readonly label?: Point & { readonly text: string; readonly width: number };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line of text in a step. */
export interface TextLine {
  readonly text: string;
  readonly kind: 'name' | 'caption' | 'when';
}

export interface Layout {
  readonly direction: Direction;
  readonly width: number;
  readonly height: number;
  readonly steps: readonly PlacedStep[];
  readonly edges: readonly PlacedEdge[];
}

/** Sizes of text in pixels, by what it says. */
export const fontSizes = { name: 14, caption: 11, when: 11, edge: 11 } as const;
export const LINE_HEIGHT = 17;

const PADDING = 14;
const MARGIN = 24;
const LABEL_CHARACTERS = 42;

/** Places a graph's steps in layers. */
export async function layoutGraph(graph: Graph, direction: Direction): Promise<Layout> {
  const { Graph: DagreGraph, layout } = await import('@dagrejs/dagre');
  const dagre = new DagreGraph({ multigraph: false });
  dagre.setGraph({
    rankdir: direction === 'down' ? 'TB' : 'LR',
    nodesep: 28,
    ranksep: 56,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  const sized = graph.steps.map((step) => {
    const lines = linesOf(step);
    const width = Math.max(72, ...lines.map(({ text, kind }) => textLength(text, fontSizes[kind]))) + 2 * PADDING;
    return { step, lines, width: Math.ceil(width), height: lines.length * LINE_HEIGHT + 18 };
  });
  for (const { step, width, height } of sized) dagre.setNode(step.name, { width, height });
  const edges = edgesOf(graph);
  for (const edge of edges) dagre.setEdge(edge.from, edge.to, labelSize(edge));
  // What runs at the end of the run stands at the end of the picture.
  for (const [from, to] of stageEdges(graph, edges)) if (!dagre.hasEdge(from, to)) dagre.setEdge(from, to, {});
  layout(dagre);
  const { width = 0, height = 0 } = dagre.graph() as { width?: number; height?: number };
  return {
    direction,
    width: Math.ceil(width),
    height: Math.ceil(height),
    steps: sized.map((each) => ({ ...each, ...placeOf(dagre.node(each.step.name) as Point) })),
    edges: edges.map((edge) => {
      const placed = dagre.edge(edge.from, edge.to) as { points: Point[]; x?: number; y?: number };
      const text = labelOf(edge);
      const label =
        text === '' || placed.x === undefined || placed.y === undefined
          ? {}
          : { label: { text, x: placed.x, y: placed.y, width: labelSize(edge).width } };
      const [from, to] = [edge.from, edge.to].map((name) => dagre.node(name) as Box);
      // Dagre ends lines anywhere on the border; from the middle of one side to the middle of the other reads better.
      return {
        edge,
        points: [sideOf(from!, direction, 1), ...bends(placed.points, label), sideOf(to!, direction, -1)],
        ...label,
      };
    }),
  };
}

/** From every step after which nothing comes to those of the next stage. */
function stageEdges({ steps }: Graph, edges: readonly Edge[]): [string, string][] {
  const role = new Map(steps.map((step) => [step.name, step.role]));
  const followed = new Set(edges.filter(({ to }) => role.get(to) === undefined).map(({ from }) => from));
  const stages = [undefined, ...roles]
    .map((stage) => steps.map(({ name }) => name).filter((name) => role.get(name) === stage && !followed.has(name)))
    .filter(({ length }) => length > 0);
  return stages
    .slice(1)
    .flatMap((stage, index) => stages[index]!.flatMap((from) => stage.map((to): [string, string] => [from, to])));
}

/** Where a line must pass. Between neighbouring layers that is only its label. */
function bends(points: readonly Point[], label: object): readonly Point[] {
  return points.length === 3 && !('label' in label) ? [] : points.slice(1, -1);
}

interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** The middle of the side that edges leave (`1`) or reach (`-1`). */
function sideOf({ x, y, width, height }: Box, direction: Direction, sign: 1 | -1): Point {
  return direction === 'down' ? { x, y: y + (sign * height) / 2 } : { x: x + (sign * width) / 2, y };
}

const placeOf = ({ x, y }: Point): Point => ({ x, y });

function linesOf(step: StepNode): TextLine[] {
  const lines: TextLine[] = [{ text: step.name, kind: 'name' }];
  const caption = rulesOf(step).caption(step);
  if (caption !== undefined) lines.push({ text: shorten(caption), kind: 'caption' });
  for (const text of conditionsOf(step)) lines.push({ text: shorten(text), kind: 'when' });
  return lines;
}

function labelOf({ labels }: Edge): string {
  return shorten(labels.join(', '));
}

function labelSize(edge: Edge): { width: number; height: number; labelpos: 'c' } {
  const text = labelOf(edge);
  if (text === '') return { width: 0, height: 0, labelpos: 'c' };
  return { width: Math.ceil(textLength(text, fontSizes.edge)) + 10, height: 18, labelpos: 'c' };
}

/** The paths within steps are known from the picture; the rest is in the tooltip. */
function shorten(text: string): string {
  const short = text.replaceAll(/\bsteps\.([\w-]+)\.outputs\./g, '$1.').replaceAll(/\binputs\./g, '');
  return short.length > LABEL_CHARACTERS ? `${short.slice(0, LABEL_CHARACTERS - 1)}…` : short;
}
