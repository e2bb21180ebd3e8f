import { WorkflowsClient } from 'cdk8s-workflows/client';

/** A process that launches a plan once it is told to on its standard input, and prints the run and whether it started it. */
const [kubeconfig, namespace, plan, inputs, idempotencyKey] = process.argv.slice(2) as string[];
const client = await WorkflowsClient.connect({ kubeconfig: kubeconfig!, namespace: namespace! });
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
const run = await client.plan(plan!).launch(JSON.parse(inputs!), { idempotencyKey: idempotencyKey! });
console.log(JSON.stringify({ name: run.name, created: run.created }));
await client.close();
process.stdin.destroy();
