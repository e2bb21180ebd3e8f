import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { CliContext } from '../context.ts';
import { readCdk8sConfig } from './cdk8s-config.ts';
import { UsageError } from '../errors.ts';
import { manifestFiles } from './manifests.ts';

/** Where manifests come from: a cdk8s app, or a directory that holds them already. */
export type AppSource =
  | {
      readonly kind: 'app';
      /** The directory that the app runs in, and its steps on this machine too. */
      readonly directory: string;
      /** For a shell, as in cdk8s.yaml. */
      readonly command: string;
      /** The output directory, from {@link directory}. */
      readonly output: string;
      /** Whether cdk8s.yaml asks for validations, which makes apps write construct metadata too. */
      readonly validations: boolean;
    }
  | { readonly kind: 'manifests'; readonly directory: string };

/**
 * What `<app>` on a command line stands for: a directory with cdk8s.yaml, a TypeScript or JavaScript file, or a directory
 * of manifests.
 *
 * @throws UsageError when it is none of them
 */
export async function findApp(argument: string, context: CliContext, command?: string): Promise<AppSource> {
  const path = resolve(context.cwd, argument);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`there is no file or directory ${argument}`);
  if (found.isFile()) return fileApp(path, argument);
  const config = await readCdk8sConfig(path);
  const app = command ?? config?.app;
  if (app !== undefined)
    return {
      kind: 'app',
      directory: path,
      command: app,
      output: config?.output ?? 'dist',
      validations: config?.validations === true,
    };
  if (config !== undefined)
    throw new UsageError(`${join(argument, 'cdk8s.yaml')} has no app; set app: <command>, or give --app <command>`);
  if ((await manifestFiles(path)).length > 0) return { kind: 'manifests', directory: path };
  throw new UsageError(
    `${argument} has neither a cdk8s.yaml nor manifests; give an app's directory, its main file, or a directory of manifests`,
  );
}

async function fileApp(path: string, argument: string): Promise<AppSource> {
  if (basename(path) === 'cdk8s.yaml')
    throw new UsageError(`give the directory ${dirname(argument)} in place of its cdk8s.yaml`);
  if (!/\.[cm]?[jt]s$/.test(path)) throw new UsageError(`${argument} is no TypeScript or JavaScript file`);
  const command = [process.execPath, path].map(shellQuote).join(' ');
  return { kind: 'app', directory: dirname(path), command, output: 'dist', validations: false };
}

function shellQuote(word: string): string {
  if (process.platform === 'win32') return `"${word}"`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
