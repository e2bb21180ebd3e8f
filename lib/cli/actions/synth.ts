import { mkdir, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { CONTENT_GRAPH, labels } from '../../graph/labels.ts';
import { findApp, type AppSource } from '../app/app.ts';
import type { SynthOptions } from '../commands/synth.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { manifestFiles } from '../app/manifests.ts';
import { readOutput, type ClusterOutput } from '../app/output-tree.ts';
import { forgetGoneOutputs, outputListFile, updateOutput, type OutputUpdate } from '../app/output-update.ts';
import { displayPath, synthesize } from '../app/synthesize.ts';
import { formatTable, type Column } from '../terminal/table.ts';
import { withTemporaryDirectory } from '../app/temporary-directory.ts';

/** `synth`: writes the manifests of an app. */
export async function synth(context: CliContext, argument: string, options: SynthOptions): Promise<void> {
  if (options.stdout && options.output !== undefined) throw new UsageError('--output and --stdout exclude each other');
  if (options.stdout && options.json) throw new UsageError('--json and --stdout exclude each other');
  const source = await findApp(argument, context, options.app);
  if (source.kind === 'manifests')
    throw new UsageError(`${argument} holds manifests and no app; give --app <command> if there is one`);
  if (source.validations) context.err.line('Validations of cdk8s.yaml are not run here; npx cdk8s synth runs them.');
  if (options.stdout) return printManifests(context, source);
  const target = await realTarget(
    options.output === undefined ? resolve(source.directory, source.output) : resolve(context.cwd, options.output),
  );
  const { clusters, update } = await synthesizeInto(target, source, context);
  if (options.json) context.out.json(toJson(target, clusters, update));
  else printSummary(context, displayPath(context.cwd, target), clusters, update);
}

/** A link stays a link: what it points to is updated. */
async function realTarget(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function synthesizeInto(
  target: string,
  source: AppSource & { kind: 'app' },
  context: CliContext,
): Promise<{ clusters: readonly ClusterOutput[]; update: OutputUpdate }> {
  await mkdir(dirname(target), { recursive: true });
  await forgetGoneOutputs(source.directory);
  const listFile = outputListFile(source.directory, target);
  return withTemporaryDirectory(join(dirname(target), `.${basename(target)}-`), async (directory) => {
    const outdir = join(directory, 'out');
    await synthesize(source, outdir, context);
    const { clusters } = await readOutput(outdir);
    return { clusters, update: await updateOutput(target, outdir, listFile) };
  });
}

async function printManifests(context: CliContext, source: AppSource & { kind: 'app' }): Promise<void> {
  await withTemporaryDirectory(join(tmpdir(), 'cdk8s-workflows-'), async (directory) => {
    const outdir = join(directory, 'out');
    await synthesize(source, outdir, context);
    let separator = '';
    for (const file of (await manifestFiles(outdir)).filter((name) => name.endsWith('.yaml'))) {
      const text = await readFile(join(outdir, file), 'utf8');
      if (text.trim() === '') continue;
      context.out.write(`${text.startsWith('---') ? '' : separator}${text.endsWith('\n') ? text : `${text}\n`}`);
      separator = '---\n';
    }
  });
}

interface Counts {
  readonly cluster: string | undefined;
  readonly plans: number;
  readonly workflows: number;
  readonly templates: number;
  readonly other: number;
}

function countsOf({ name, files }: ClusterOutput): Counts {
  const counts = { cluster: name, plans: 0, workflows: 0, templates: 0, other: 0 };
  for (const object of files.flatMap(({ objects }) => objects)) counts[countedAs(object)] += 1;
  return counts;
}

function countedAs(object: JsonObject): 'plans' | 'workflows' | 'templates' | 'other' {
  const metadata = fields(object.metadata);
  const own = fields(metadata.labels);
  if (object.kind === 'CronJob' && own[labels.plan] !== undefined) return 'plans';
  if (object.kind === 'ConfigMap' && own[labels.content] === CONTENT_GRAPH) return 'workflows';
  return object.kind === 'PodTemplate' ? 'templates' : 'other';
}

const fields = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

const columns: readonly Column<Counts>[] = [
  { header: 'CLUSTER', value: ({ cluster }) => cluster ?? '-' },
  { header: 'PLANS', value: ({ plans }) => String(plans) },
  { header: 'WORKFLOWS', value: ({ workflows }) => String(workflows) },
  { header: 'TEMPLATES', value: ({ templates }) => String(templates) },
  { header: 'OTHER', value: ({ other }) => String(other) },
];

function printSummary(
  { out, err }: CliContext,
  target: string,
  clusters: readonly ClusterOutput[],
  update: OutputUpdate,
): void {
  const counts = clusters.map(countsOf);
  const fleet = counts.some(({ cluster }) => cluster !== undefined);
  if (update.written.length + update.unchanged.length === 0)
    err.line(`${err.colors.yellow('warning:')} the app has no charts: no manifests`);
  else out.write(formatTable(fleet ? columns : columns.slice(1), counts));
  for (const file of update.removed)
    out.line(out.colors.dim(`removed ${join(target, file)}: no longer part of the app`));
  const foreign = update.kept.filter((file) => file.endsWith('.yaml'));
  for (const file of foreign) out.line(out.colors.dim(`kept ${join(target, file)}: not written by synth`));
  const changes = [`${number(update.written.length, 'file')} written`, `${update.unchanged.length} unchanged`];
  if (update.removed.length > 0) changes.push(`${update.removed.length} removed`);
  out.line(`${out.colors.green('✓')} ${out.colors.bold(target)}: ${changes.join(', ')}`);
}

const number = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function toJson(
  target: string,
  clusters: readonly ClusterOutput[],
  { written, unchanged, removed, kept }: OutputUpdate,
) {
  return { output: target, clusters: clusters.map(countsOf), written, unchanged, removed, kept };
}
