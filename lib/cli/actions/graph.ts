import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { findApp } from '../app/app.ts';
import type { GraphOptions } from '../commands/graph.ts';
import type { CliContext } from '../context.ts';
import { selectWorkflow } from '../app/select-workflow.ts';
import { loadManifests } from '../app/synthesize.ts';
import type { Graph } from '../../graph/graph.ts';

const formatByExtension: Readonly<Record<string, GraphOptions['format']>> = { '.svg': 'svg', '.json': 'json' };

/** `graph`: draws the graph of a workflow. */
export async function graph(
  context: CliContext,
  target: { readonly app: string; readonly workflow: string | undefined },
  options: GraphOptions,
): Promise<void> {
  const tree = await loadManifests(await findApp(target.app, context), context);
  const { workflow } = selectWorkflow(tree, { workflow: target.workflow, cluster: options.cluster });
  const format = options.format ?? formatByExtension[extname(options.output ?? '')] ?? 'mermaid';
  const text = await draw(workflow.graph, format, options.direction ?? 'down');
  if (options.output === undefined) return context.out.write(text);
  const file = resolve(context.cwd, options.output);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function draw(of: Graph, format: 'mermaid' | 'svg' | 'json', direction: 'down' | 'right'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(of, undefined, 2)}\n`;
  if (format === 'svg') return (await import('../../graph/svg.ts')).toSvg(of, direction);
  return (await import('../../graph/mermaid.ts')).toMermaid(of, direction);
}
