import { Chart, Duration } from 'cdk8s';
import { ContainerTask, Fleet, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLUSTERS = 10;
const STEPS = 5;

/** The milliseconds that the synthesis of a fleet with a group of plans takes. */
function synth(plans: number): number {
  const outdir = mkdtempSync(join(tmpdir(), 'bench-synth-'));
  try {
    const clusters = Array.from({ length: CLUSTERS }, (_, index) => ({ name: `c${index}`, labels: { tier: 'prod' } }));
    const sites = Array.from({ length: plans }, (_, index) => `site-${index}`);
    const startedAt = performance.now();
    new Fleet({ clusters, defaultCluster: { matchLabels: { tier: 'prod' } }, outdir }, (app) => {
      const chart = new Chart(app, 'etl');
      const inputs = { site: z.string() };
      const task = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], inputs });
      const workflow = new Workflow(chart, 'etl', { inputs }, ({ inputs: given, step }) => {
        for (let index = 0; index < STEPS; index++) step(`load-${index}`, task, { site: given.site });
      });
      new LaunchPlanGroup(chart, 'sites', {
        workflow,
        over: { site: sites },
        schedule: Schedule.cron('0 */6 * * *'),
        spread: Duration.minutes(60),
        overrides: ({ key }) => ({ serviceAccount: `etl-${key}`, labels: { site: key } }),
      });
    }).synth();
    return performance.now() - startedAt;
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Prints how long the synthesis of groups takes, of more and more plans: a plan must not cost more among many. */
export function printSynthBench(): void {
  synth(10);
  for (const plans of [100, 300, 1000]) {
    const ms = synth(plans);
    console.log(
      `${plans} plans over ${CLUSTERS} clusters: ${(ms / 1000).toFixed(1)} s, ${(ms / plans).toFixed(1)} ms a plan`,
    );
  }
}
