/** The two that `chain.ts` compares, each in a process of its own: `controller` until it is ended, `raw` once. */
import { Controller } from '../../lib/controller/controller.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import { rawChain } from './chain.ts';

const [what, kubeconfig, namespace, prefix = '', steps = '0'] = process.argv.slice(2);
const client = await KubeClient.fromKubeconfig({ kubeconfig: kubeconfig!, namespace: namespace! });
process.send!('ready');
if (what === 'raw') {
  process.send!({ ms: await rawChain(client, prefix, Number(steps)) });
  process.exit(0);
}
const abort = new AbortController();
process.once('SIGTERM', () => abort.abort());
await new Controller({ client }).run(abort.signal);
process.exit(0);
