/**
 * A task that asks for a V100, and one workflow that needs it on an A100 with more memory: the override touches
 * what it names and keeps the rest.
 *
 *     npx cdk8s-workflows run apps/gpu-training train-large --local --input model=resnet
 */
import { App, Chart, Duration } from 'cdk8s';
import { ContainerTask, LaunchPlan, Schedule, TaskJob, Workflow, z } from 'cdk8s-workflows';

const app = new App();
const chart = new Chart(app, 'gpu-training');

const train = new ContainerTask(chart, 'train', {
  image: 'busybox:1.36',
  inputs: { model: z.string(), epochs: z.int().min(1).default(3) },
  outputs: { accuracy: z.number(), weights: z.string() },
  command: [
    'sh',
    '-c',
    `for epoch in $(seq "$INPUT_EPOCHS"); do echo "epoch $epoch of $INPUT_MODEL"; done
     printf '{"accuracy": 0.9, "weights": "memory://%s/weights"}' "$INPUT_MODEL" > "$WORKFLOW_OUTPUTS"`,
  ],
  retries: 1,
  timeout: Duration.hours(12),
  resources: { requests: { cpu: 4 }, limits: { memory: '32Gi' } },
  gpu: { model: 'v100', label: 'acme.example/gpu' },
  sharedMemory: '2Gi',
  nodeSelector: { 'acme.example/pool': 'training' },
});

const evaluate = new ContainerTask(chart, 'evaluate', {
  image: 'busybox:1.36',
  inputs: { weights: z.string(), accuracy: z.number() },
  command: ['echo', 'evaluated'],
  args: ({ weights, accuracy }) => [weights, accuracy],
});

new Workflow(chart, 'train-small', { inputs: { model: z.string() } }, ({ inputs, step }) => {
  const trained = step('train', train, { model: inputs.model });
  return { accuracy: trained.outputs.accuracy };
});

const large = new Workflow(chart, 'train-large', { inputs: { model: z.string() } }, ({ inputs, step }) => {
  const trained = step('train', train, { model: inputs.model, epochs: 5 }).override({
    resources: { limits: { memory: '128Gi' } },
    gpu: { model: 'a100' },
  });
  step('evaluate', evaluate, { weights: trained.outputs.weights, accuracy: trained.outputs.accuracy });
  return { accuracy: trained.outputs.accuracy };
});

new LaunchPlan(chart, 'train-nightly', {
  workflow: large,
  inputs: { model: 'resnet' },
  schedule: Schedule.cron('0 1 * * *'),
});

// The same task alone needs no controller: once as a Job, and on a schedule as a plain CronJob.
new TaskJob(chart, 'train-once', { task: train, inputs: { model: 'resnet', epochs: 1 } });
new LaunchPlan(chart, 'train-weekly', {
  task: train,
  inputs: { model: 'resnet' },
  schedule: Schedule.cron('0 3 * * 0'),
});

// Who launches it says on what: the pod waits for these inputs.
const sizes = { model: z.string(), memory: z.string().default('64Gi'), gpu: z.string().optional() };
const sized = new Workflow(chart, 'train-sized', { inputs: sizes }, ({ inputs, step }) => {
  const trained = step('train', train, { model: inputs.model }).override({
    resources: { limits: { memory: inputs.memory } },
    gpu: { model: inputs.gpu },
  });
  return { accuracy: trained.outputs.accuracy };
});
new LaunchPlan(chart, 'train-on', { workflow: sized });

app.synth();
