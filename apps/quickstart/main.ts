/**
 * Extract, transform, load: three steps that pass values to each other, in a plain cdk8s app.
 *
 *     npx cdk8s-workflows run apps/quickstart etl --local --input site=site-a
 */
import { App, Chart } from 'cdk8s';
import { ContainerTask, gt, LaunchPlan, Workflow, z } from 'cdk8s-workflows';

const app = new App();
const chart = new Chart(app, 'quickstart');

const extract = new ContainerTask(chart, 'extract', {
  image: 'busybox:1.36',
  inputs: { site: z.string() },
  outputs: { rows: z.int(), uri: z.string() },
  command: [
    'sh',
    '-c',
    'echo "{\\"rows\\": ${#INPUT_SITE}, \\"uri\\": \\"memory://$INPUT_SITE\\"}" > "$WORKFLOW_OUTPUTS"',
  ],
});

const transform = new ContainerTask(chart, 'transform', {
  image: 'busybox:1.36',
  inputs: { uri: z.string(), rows: z.int() },
  outputs: { uri: z.string(), rows: z.int() },
  command: [
    'sh',
    '-c',
    'echo "{\\"rows\\": $((INPUT_ROWS * 2)), \\"uri\\": \\"$INPUT_URI/clean\\"}" > "$WORKFLOW_OUTPUTS"',
  ],
});

const load = new ContainerTask(chart, 'load', {
  image: 'busybox:1.36',
  inputs: { uri: z.string() },
  command: ['echo', 'loading'],
  args: ({ uri }) => [uri],
});

const etl = new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ inputs, step }) => {
  const raw = step('extract', extract, { site: inputs.site });
  const clean = step('transform', transform, { uri: raw.outputs.uri, rows: raw.outputs.rows });
  step('load', load, { uri: clean.outputs.uri }).when(gt(clean.outputs.rows, 0));
  return { rows: clean.outputs.rows };
});

new LaunchPlan(chart, 'etl-by-hand', { workflow: etl });

app.synth();
