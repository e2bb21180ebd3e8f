import { readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

/** The one cluster and user of a kubeconfig file that its current context names, with file contents read in. */
export interface Connection {
  readonly server: string;
  readonly namespace: string;
  readonly ca?: Buffer;
  readonly token?: string;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** What a kubeconfig file for a token says. */
export interface TokenConfig {
  readonly server: string;
  readonly caFile: string;
  readonly user: string;
  readonly token: string;
}

interface File {
  'current-context'?: string;
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
  contexts?: { name: string; context: Record<string, string> }[];
}

/** Writes a kubeconfig file with one context, the cluster's certificate authority included. */
export async function writeTokenConfig(path: string, { server, caFile, user, token }: TokenConfig): Promise<void> {
  const ca = (await readFile(caFile)).toString('base64');
  const file: File & Record<string, unknown> = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  };
  await writeFile(path, stringify(file), { mode: 0o600 });
}

/** Copies a kubeconfig file so that its user impersonates `user`. */
export async function writeImpersonatingConfig(from: string, to: string, user: string): Promise<void> {
  const file = parse(await readFile(from, 'utf8')) as File;
  const context = file.contexts?.find((entry) => entry.name === file['current-context'])?.context;
  const entry = file.users?.find((candidate) => candidate.name === context?.['user']);
  if (!entry) throw new Error(`${from} has no user for its current context`);
  entry.user['as'] = user;
  await writeFile(to, stringify(file), { mode: 0o600 });
}

/** Reads what the current context of a kubeconfig file needs. Knows tokens and client certificates, no plugins. */
export async function readConnection(path: string): Promise<Connection> {
  const file = parse(await readFile(path, 'utf8')) as File;
  const context = file.contexts?.find((entry) => entry.name === file['current-context'])?.context ?? {};
  const cluster = file.clusters?.find((entry) => entry.name === context['cluster'])?.cluster;
  const user = file.users?.find((entry) => entry.name === context['user'])?.user ?? {};
  if (cluster?.['server'] === undefined) throw new Error(`${path} has no cluster for its current context`);
  const content = async (fields: Record<string, string>, name: string): Promise<Buffer | undefined> => {
    const data = fields[`${name}-data`];
    if (data !== undefined) return Buffer.from(data, 'base64');
    const named = fields[name];
    return named === undefined ? undefined : readFile(resolve(dirname(path), named));
  };
  const tokenFile = user['tokenFile'];
  return {
    server: cluster['server'],
    namespace: context['namespace'] ?? 'default',
    ca: await content(cluster, 'certificate-authority'),
    token: user['token'] ?? (tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim()),
    cert: await content(user, 'client-certificate'),
    key: await content(user, 'client-key'),
  };
}

/**
 * Writes one kubeconfig file with a context for each name: that of another file, or a server alone, such as one that is not there.
 * The first is the current one.
 */
export async function writeFleetConfig(path: string, contexts: Readonly<Record<string, string>>): Promise<void> {
  const merged: Required<File> = {
    'current-context': Object.keys(contexts)[0]!,
    clusters: [],
    users: [],
    contexts: [],
  };
  for (const [name, from] of Object.entries(contexts)) {
    const file = from.startsWith('https://') ? undefined : (parse(await readFile(from, 'utf8')) as File);
    merged.clusters.push({ name, cluster: file?.clusters?.[0]?.cluster ?? { server: from } });
    merged.users.push({ name, user: file?.users?.[0]?.user ?? {} });
    merged.contexts.push({ name, context: { cluster: name, user: name } });
  }
  await writeFile(path, stringify({ apiVersion: 'v1', kind: 'Config', ...merged }), { mode: 0o600 });
}
