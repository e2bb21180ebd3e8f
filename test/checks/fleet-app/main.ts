/** A plan for every site in the file that `SITES` names, on ten clusters, which are namespaces of three control planes. */
import { Chart } from 'cdk8s';
import { Namespace } from 'cdk8s-plus-28';
import { ContainerTask, Fleet, keysFromFile, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';

const clusters = Array.from({ length: 10 }, (_, index) => ({
  name: `cluster-${index}`,
  context: `plane-${index % 3}`,
  namespace: `cluster-${index}`,
  weight: 1 + (index % 2),
}));

new Fleet({ name: 'sites', clusters }, (app, cluster) => {
  new Namespace(new Chart(app, 'namespace'), 'namespace', { metadata: { name: cluster.namespace } });
  const chart = new Chart(app, 'sites');
  const load = new ContainerTask(chart, 'load', {
    image: 'busybox:1.36',
    inputs: { site: z.string() },
    command: ['sleep', '600'],
    podTemplate: { metadata: { annotations: { 'sim.cdk8s-workflows.dev/run-ms': '600000' } } },
  });
  const etl = new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ inputs, step }) => {
    step('load', load, { site: inputs.site });
  });
  new LaunchPlanGroup(chart, 'group', {
    workflow: etl,
    prefix: 'site',
    over: { site: keysFromFile(process.env['SITES']!) },
    schedule: Schedule.cron('0 3 29 2 *'),
    cluster: {},
  });
}).synth();
