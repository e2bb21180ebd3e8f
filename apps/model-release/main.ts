/**
 * Score a model on every shard, ask somebody whether it may be published, and tell what became of it: a map, a branch, a gate
 * and a step for the end of the run.
 *
 *     npx cdk8s-workflows run apps/model-release release --local --input model=resnet
 */
import { App, Chart, Duration } from 'cdk8s';
import { ContainerTask, ge, LaunchPlan, Workflow, z } from 'cdk8s-workflows';

const app = new App();
const chart = new Chart(app, 'model-release');

const shell = (script: string) => ({ image: 'busybox:1.36', command: ['sh', '-c', script] });

const list = new ContainerTask(chart, 'list-shards', {
  ...shell(`echo '{"shards": ["north", "south", "east", "west"]}' > "$WORKFLOW_OUTPUTS"`),
  outputs: { shards: z.array(z.string()) },
});

const score = new ContainerTask(chart, 'score', {
  ...shell('echo "{\\"percent\\": $((88 + ${#INPUT_SHARD}))}" > "$WORKFLOW_OUTPUTS"'),
  inputs: { model: z.string(), shard: z.string() },
  outputs: { percent: z.int() },
  retries: { limit: 2, delays: [Duration.seconds(1), Duration.seconds(10)] },
});

const judge = new ContainerTask(chart, 'judge', {
  ...shell(
    'worst=$(echo "$INPUT_PERCENTS" | tr -d "[]" | tr , "\\n" | sort -n | head -1); echo "{\\"worst\\": $worst}" > "$WORKFLOW_OUTPUTS"',
  ),
  inputs: { percents: z.array(z.int()) },
  outputs: { worst: z.int() },
});

const publish = new ContainerTask(chart, 'publish', {
  ...shell('echo "{\\"uri\\": \\"registry://$INPUT_MODEL\\"}" > "$WORKFLOW_OUTPUTS"'),
  inputs: { model: z.string() },
  outputs: { uri: z.string() },
});

const tell = new ContainerTask(chart, 'tell', {
  ...shell('echo "$INPUT_MODEL: $INPUT_SCORING, published as $INPUT_URI"'),
  inputs: { model: z.string(), scoring: z.string(), uri: z.string() },
});

const release = new Workflow(
  chart,
  'release',
  { inputs: { model: z.string(), least: z.int().default(90) } },
  ({ inputs, step, branch, approve }) => {
    const { model } = inputs;
    const { shards } = step('list', list).outputs;
    const scores = step.map('score', score, { model, shard: shards }, { concurrency: 3 });
    const { worst } = step('judge', judge, { percents: scores.outputs.percent }).outputs;
    const published = branch('publication')
      .if(ge(worst, inputs.least), () => ({ uri: step('publish', publish, { model }).outputs.uri }))
      .else(() => {
        const message = 'It is worse than it should be. Publish it all the same?';
        const approval = approve('exception', { message, timeout: Duration.days(1), default: 'deny' });
        return { uri: step('publish-exception', publish, { model }).after(approval).outputs.uri };
      });
    step('tell', tell, { model, scoring: scores.status.phase, uri: published.uri.or('nothing') }).finally();
    return { worst, uri: published.uri };
  },
);

new LaunchPlan(chart, 'release-model', { workflow: release });

app.synth();
