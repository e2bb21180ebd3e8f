import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { KubeconfigError } from './errors.ts';

/** `clusters[].cluster` of a kubeconfig. Paths are absolute here. */
export interface KubeconfigCluster {
  readonly server: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
  readonly extensions?: readonly { readonly name: string; readonly extension: unknown }[];
}

/** `users[].user.exec`: a program that prints credentials. */
export interface KubeconfigExec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always';
  readonly provideClusterInfo?: boolean;
  readonly installHint?: string;
}

/** `users[].user` of a kubeconfig. Paths are absolute here. */
export interface KubeconfigUser {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly exec?: KubeconfigExec;
  readonly 'auth-provider'?: { readonly name: string; readonly config?: Record<string, string> };
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
}

/** All kubeconfig files together. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly contexts: ReadonlyMap<
    string,
    { readonly cluster: string; readonly user?: string; readonly namespace?: string }
  >;
  readonly currentContext?: string;
  /** The files read, for messages. */
  readonly files: readonly string[];
}

/** What is read of the machine. */
export interface KubeconfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The text of a file; undefined when there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** This process' environment and files. */
export const systemSources: KubeconfigSources = {
  env: process.env,
  home: homedir(),
  readFile: async (path) => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new KubeconfigError(`Cannot read ${path}`, { cause: error });
    }
  },
};

/**
 * Reads the kubeconfig as kubectl does: `path` alone if given, else the files of `$KUBECONFIG`, else
 * `~/.kube/config`. In a list the first file that says something wins, and a missing file is skipped.
 *
 * Not client-node's `KubeConfig`: importing it takes 280 ms, a missing file or a name in two files of the list throws,
 * and it forgets `as-groups` and the `tokenFile` that must be read again (2.0.1, `config.js`, `config_types.js`).
 */
export async function loadKubeconfig(path?: string, sources: KubeconfigSources = systemSources): Promise<Kubeconfig> {
  const listed = sources.env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? [];
  const files = path ? [path] : listed.length > 0 ? listed : [join(sources.home, '.kube', 'config')];
  const parsed = [];
  for (const file of files) {
    const text = await sources.readFile(file);
    if (text === undefined && path) throw new KubeconfigError(`There is no kubeconfig at ${path}`);
    if (text !== undefined && text.trim() !== '') parsed.push({ file, ...(await parseKubeconfig(text, file)) });
  }
  return {
    clusters: firstWins(parsed.map(({ clusters }) => clusters)),
    users: firstWins(parsed.map(({ users }) => users)),
    contexts: firstWins(parsed.map(({ contexts }) => contexts)),
    currentContext: parsed.map(({ currentContext }) => currentContext).find(Boolean),
    files: parsed.map(({ file }) => file),
  };
}

function firstWins<T>(maps: readonly ReadonlyMap<string, T>[]): Map<string, T> {
  return new Map(maps.toReversed().flatMap((map) => [...map]));
}

/** Reads one file. Its relative paths are relative to it. */
async function parseKubeconfig(text: string, file: string): Promise<Omit<Kubeconfig, 'files'>> {
  let document: unknown;
  try {
    document = text.trimStart().startsWith('{')
      ? JSON.parse(text)
      : (await import('../values/yaml.ts')).readYaml(text)[0];
  } catch (error) {
    throw new KubeconfigError(`${file} is neither YAML nor JSON`, { cause: error });
  }
  if (typeof document !== 'object' || document === null) throw new KubeconfigError(`${file} is no kubeconfig`);
  const config = document as Record<string, unknown>;
  const directory = dirname(resolve(file));
  const currentContext = config['current-context'];
  return {
    clusters: named<KubeconfigCluster>(config['clusters'], 'cluster', (cluster) =>
      absolute(cluster, ['certificate-authority'], directory),
    ),
    users: named<KubeconfigUser>(config['users'], 'user', (user) => ({
      ...absolute(user, ['client-certificate', 'client-key', 'tokenFile'], directory),
      ...(user.exec && { exec: { ...user.exec, command: commandPath(user.exec.command, directory) } }),
    })),
    contexts: named(config['contexts'], 'context', (context) => context),
    ...(typeof currentContext === 'string' && { currentContext }),
  };
}

function named<T extends object>(list: unknown, field: string, finish: (value: T) => T): Map<string, T> {
  const entries = Array.isArray(list) ? (list as Record<string, unknown>[]) : [];
  return new Map(entries.map((entry) => [String(entry['name']), finish((entry[field] ?? {}) as T)]));
}

function absolute<T extends object>(value: T, fields: readonly (keyof T)[], directory: string): T {
  const paths = fields
    .map((field) => [field, value[field]] as const)
    .filter(([, path]) => typeof path === 'string' && path !== '')
    .map(([field, path]) => [field, resolve(directory, String(path))]);
  return { ...value, ...Object.fromEntries(paths) };
}

/** client-go looks up a bare command in PATH and takes one with a slash relative to the file (clientcmd/loader.go). */
function commandPath(command: string, directory: string): string {
  return command?.includes('/') && !isAbsolute(command) ? join(directory, command) : command;
}
