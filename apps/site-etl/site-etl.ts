import { Duration } from 'cdk8s';
import { ContainerTask, gt, Workflow, z } from 'cdk8s-workflows';
import { Construct } from 'constructs';

const IMAGE = 'busybox:1.36';

/** Fetches a site's data, checks and transforms it side by side, and loads what is there to load. */
export class SiteEtl extends Construct {
  readonly workflow;

  constructor(scope: Construct, id: string) {
    super(scope, id);

    const extract = new ContainerTask(this, 'extract', {
      image: IMAGE,
      inputs: { site: z.string() },
      outputs: { rows: z.int(), uri: z.string() },
      command: [
        'sh',
        '-c',
        `echo "fetching $INPUT_SITE"; sleep 1
         printf '{"rows": %d, "uri": "memory://%s/raw"}' $((\${#INPUT_SITE} * 100)) "$INPUT_SITE" > "$WORKFLOW_OUTPUTS"`,
      ],
      retries: { limit: 3, delay: Duration.seconds(5) },
      attemptTimeout: Duration.minutes(10),
      resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    });

    const transform = new ContainerTask(this, 'transform', {
      image: IMAGE,
      inputs: { uri: z.string(), rows: z.int(), keep: z.number().min(0).max(1).default(0.9) },
      outputs: { rows: z.int(), uri: z.string() },
      command: [
        'sh',
        '-c',
        `echo "keeping $INPUT_KEEP of $INPUT_ROWS rows"; sleep 1
         rows=$(awk "BEGIN { print int($INPUT_ROWS * $INPUT_KEEP) }")
         printf '{"rows": %d, "uri": "%s/clean"}' "$rows" "$INPUT_URI" > "$WORKFLOW_OUTPUTS"`,
      ],
      resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    });

    const check = new ContainerTask(this, 'check', {
      image: IMAGE,
      inputs: { uri: z.string() },
      outputs: { quality: z.enum(['good', 'poor']) },
      command: ['sh', '-c', `echo "checking $INPUT_URI"; sleep 1; echo '{"quality": "good"}' > "$WORKFLOW_OUTPUTS"`],
    });

    const load = new ContainerTask(this, 'load', {
      image: IMAGE,
      inputs: { uri: z.string(), quality: z.string() },
      command: ['echo', 'loading'],
      args: ({ uri, quality }) => [uri, `quality=${quality}`],
    });

    this.workflow = new Workflow(this, 'site-etl', { inputs: { site: z.string().min(1) } }, ({ inputs, step }) => {
      const raw = step('extract', extract, { site: inputs.site });
      const checked = step('check', check, { uri: raw.outputs.uri });
      const clean = step('transform', transform, { uri: raw.outputs.uri, rows: raw.outputs.rows }).override({
        resources: { limits: { memory: '256Mi' } },
      });
      step('load', load, { uri: clean.outputs.uri, quality: checked.outputs.quality }).when(gt(clean.outputs.rows, 0));
      return { rows: clean.outputs.rows, quality: checked.outputs.quality };
    });
  }
}
