import type { Leading } from '../../../controller/controller-process.ts';
import { FailoverWatch } from '../../../fleet/failover/failover-watch.ts';
import { suggest } from '../../../values/problems.ts';
import { UsageError } from '../../errors.ts';

/** What `controller` is told of failover. */
export interface FailoverBesideOptions {
  readonly clusterName?: string;
  /** In seconds. */
  readonly failoverAfter?: number;
  readonly failoverFrom?: readonly string[];
  readonly remoteCluster?: readonly { readonly name: string }[];
}

/**
 * What a controller that leads does beside its runs: looks at the clusters whose plans it is to take over. Nothing when it is not told to.
 *
 * @throws UsageError when what it is told is not whole
 */
export function failoverBeside(options: FailoverBesideOptions): ((leading: Leading) => Promise<void>) | undefined {
  const { failoverAfter, failoverFrom = [], clusterName } = options;
  if (failoverAfter === undefined) {
    if (failoverFrom.length > 0) throw new UsageError('--failover-from needs --failover-after');
    return undefined;
  }
  if (failoverAfter === 0) throw new UsageError('--failover-after must be longer than 0s');
  if (failoverFrom.length === 0) throw new UsageError('--failover-after needs --failover-from');
  if (clusterName === undefined) throw new UsageError('--failover-after needs --cluster-name');
  const known = (options.remoteCluster ?? []).map(({ name }) => name);
  for (const name of failoverFrom) {
    if (known.includes(name)) continue;
    const fix = suggest(name, known) ?? 'give it by --remote-cluster';
    throw new UsageError(`--failover-from: there is no access to the cluster "${name}"; ${fix}`);
  }
  return async ({ client, namespaces, remoteClusters, log, signal }) => {
    const backup = { name: clusterName, client, namespaces };
    const homes = remoteClusters.filter(({ name }) => failoverFrom.includes(name));
    const watches = homes.map((home) => new FailoverWatch({ home, backup, afterMs: failoverAfter * 1000, log }));
    await Promise.all(watches.map((watch) => watch.run(signal)));
  };
}
