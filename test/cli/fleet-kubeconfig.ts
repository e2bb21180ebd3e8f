import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

interface Named {
  name: string;
  [field: string]: unknown;
}

/** One kubeconfig with a context for each of several, and one for a cluster that is not there. */
export async function mergedKubeconfig(files: Readonly<Record<string, string>>): Promise<object> {
  const config: { clusters: Named[]; users: Named[]; contexts: Named[] } = { clusters: [], users: [], contexts: [] };
  for (const [name, file] of Object.entries(files)) {
    const one = parse(await readFile(file, 'utf8')) as typeof config;
    config.clusters.push({ ...one.clusters[0]!, name });
    config.users.push({ ...one.users[0]!, name });
    config.contexts.push({ name, context: { cluster: name, user: name } });
  }
  config.clusters.push({ name: 'away', cluster: { server: 'https://127.0.0.1:1' } });
  config.contexts.push({ name: 'away', context: { cluster: 'away', user: 'test' } });
  return { apiVersion: 'v1', kind: 'Config', 'current-context': 'test', ...config };
}
