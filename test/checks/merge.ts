/**
 * `npm run check:merge -- [--pairs 2000] [--seed N]`: merges templates and patches here and in a real API server, and
 * ends with 1 when they ever disagree.
 */
import { parseArgs } from 'node:util';
import { KUBERNETES_VERSION } from '../../lib/pods/pod-schema.ts';
import { ApiServer } from '../pods/api-server.ts';
import { compareMerges } from '../pods/compare-merge.ts';
import { allFields } from '../pods/field-types.ts';

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '2000' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
});
const [pairs, seed] = [Number(values.pairs), Number(values.seed)];
if (!Number.isInteger(pairs) || pairs < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run check:merge -- [--pairs 2000] [--seed N]');
  process.exit(2);
}

console.log(`Strategic merge here and in the API server of Kubernetes ${KUBERNETES_VERSION}, seed ${seed}:`);
await using server = await ApiServer.start();
const started = performance.now();
const { reached, refused, differences, directives, ...compared } = await compareMerges(server, pairs, seed);
const of = (type: string) => allFields().filter((field) => field.type === type);
const hit = (type: string) => of(type).filter(({ field }) => reached.has(`${type}.${field}`)).length;
console.log(
  `${compared.pairs} pairs, ${refused} of them refused by both, in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
console.log(
  `${reached.size} of ${compared.fields} fields reached: PodSpec ${hit('PodSpec')} of ${of('PodSpec').length}, ` +
    `Container ${hit('Container')} of ${of('Container').length}`,
);
console.log(`patches with ${[...directives].map(([name, count]) => `${name} ${count}`).join(', ')}`);
console.log(`${differences.length} differences`);
for (const { pair, theirs, ours } of differences)
  console.log(JSON.stringify({ template: pair[0], patch: pair[1], theirs, ours }, null, 2));
process.exitCode = differences.length > 0 || (pairs >= compared.fields && reached.size < compared.fields) ? 1 : 0;
