import { parseArgs } from 'node:util';
import { clusterBinary } from './binary.ts';
import { startControlPlane } from './control-plane.ts';
import { busyboxImage } from './images.ts';
import { startNode } from './node.ts';

const usage = `usage: node test/cluster/main.ts build
       node test/cluster/main.ts up [--nodes <count>] [--data <directory>]
       node test/cluster/main.ts up --node

build  builds the programs and prints where they are
up     starts a cluster, prints the path of its kubeconfig file, and stays until Ctrl-C
       --nodes  how many simulated nodes it has (1)
       --data   a directory that keeps logs and certificates
       --node   a real node that runs containers, with busybox:1.36 (needs root)`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'boolean' }, nodes: { type: 'string', default: '1' }, data: { type: 'string' } },
});

switch (positionals.join(' ')) {
  case 'build':
    console.log(await clusterBinary());
    break;
  case 'up':
    await up();
    break;
  default:
    console.error(usage);
    process.exitCode = 2;
}

async function up(): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await using cluster = await (values.node ? realNode() : simulatedNodes());
  console.log(cluster.kubeconfigPath);
  console.error(`export KUBECONFIG=${cluster.kubeconfigPath}   # logs are beside it; Ctrl-C ends the cluster`);
  await interrupted;
}

async function simulatedNodes(): Promise<AsyncDisposable & { readonly kubeconfigPath: string }> {
  return startControlPlane({ nodes: Number(values.nodes), dataDir: values.data });
}

async function realNode(): Promise<AsyncDisposable & { readonly kubeconfigPath: string }> {
  const cluster = await startNode();
  await cluster.importImage(await busyboxImage('busybox:1.36'));
  return cluster;
}
