import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { problemsIn } from './app-failure.ts';
import type { AppSource } from './app.ts';
import { readOutput, type OutputTree } from './output-tree.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import { withTemporaryDirectory } from './temporary-directory.ts';

/**
 * Runs an app so that it writes its manifests to a directory that does not exist yet: the command, the environment and
 * the working directory are those of `cdk8s synth`. What the app prints goes to stderr.
 *
 * @throws FailedError when the app fails or writes somewhere else
 */
export async function synthesize(app: AppSource & { kind: 'app' }, outdir: string, context: CliContext): Promise<void> {
  const { code, stderr } = await runApp(app, outdir, context);
  const problems = code === 0 ? undefined : problemsIn(stderr);
  if (problems !== undefined) throw new FailedError(problems);
  context.err.write(stderr);
  if (code !== 0)
    throw new FailedError(`the app failed (${typeof code === 'number' ? `exit code ${code}` : code}): ${app.command}`);
  if ((await stat(outdir).catch(() => undefined)) === undefined)
    throw new FailedError(
      `the app wrote nothing: ${app.command}; it must call synth() on its App or Fleet, and leave the output directory to CDK8S_OUTDIR`,
    );
}

/** How Node begins to tell of an uncaught error: with the place it was thrown at. */
const UNCAUGHT = /^(file:\/\/|node:|\/|[A-Z]:\\).*:\d+$/m;

/** How an app ended, and what it wrote to stderr but was not shown yet. */
interface AppEnd {
  readonly code: number | string;
  readonly stderr: string;
}

function runApp(app: AppSource & { kind: 'app' }, outdir: string, { env, err }: CliContext): Promise<AppEnd> {
  const CDK8S_RECORD_CONSTRUCT_METADATA = env.CDK8S_RECORD_CONSTRUCT_METADATA ?? String(app.validations);
  return new Promise((done, failed) => {
    const child = spawn(app.command, {
      shell: true,
      cwd: app.directory,
      stdio: ['inherit', 'pipe', 'pipe'],
      env: { ...env, ...nodeOptions(env.NODE_OPTIONS), CDK8S_OUTDIR: outdir, CDK8S_RECORD_CONSTRUCT_METADATA },
    });
    // Warnings are shown as they come. What comes after an uncaught error is held back until the app has ended.
    let held = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => err.write(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (held !== '' || UNCAUGHT.test(text)) held += text;
      else err.write(text);
    });
    child.once('error', failed);
    child.once('close', (code, signal) => done({ code: code ?? signal ?? 'killed', stderr: held }));
  });
}

/** When this runs from its sources, so does what the app imports of this package. */
function nodeOptions(own: string | undefined): { readonly NODE_OPTIONS?: string } {
  const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='));
  return conditions.length === 0 ? {} : { NODE_OPTIONS: [own, ...conditions].filter(Boolean).join(' ') };
}

/** The manifests of an app or directory, synthesized to a place of their own and read. */
export async function loadManifests(source: AppSource, context: CliContext): Promise<OutputTree> {
  if (source.kind === 'manifests') return readOutput(source.directory);
  return withTemporaryDirectory(join(tmpdir(), 'cdk8s-workflows-'), async (directory) => {
    const outdir = join(directory, 'out');
    await synthesize(source, outdir, context);
    return readOutput(outdir);
  });
}

/** A path as a person at `cwd` would write it. */
export function displayPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  if (short === '') return '.';
  return short.startsWith('../../..') || short.length > path.length ? path : short;
}
