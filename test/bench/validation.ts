import { App, Chart } from 'cdk8s';
import {
  ContainerTask,
  LaunchPlan,
  pinnedImages,
  podSecurity,
  resourcesSet,
  Schedule,
  validateManifests,
  Workflow,
  z,
  type PodTemplateOverride,
} from 'cdk8s-workflows';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settle } from '../../constructs/validate-manifests.ts';
import { median } from './numbers.ts';

/** How an app is synthesized: whether manifests are checked, by which rules, and what its plans change of the steps' pods. */
interface Way {
  readonly check: boolean;
  readonly rules?: boolean;
  readonly override?: boolean;
}

const WAYS: Readonly<Record<string, Way>> = {
  'not checked': { check: false },
  checked: { check: true },
  'checked, three rules': { check: true, rules: true },
  'not checked, an override a plan': { check: false, override: true },
  'checked, an override a plan': { check: true, override: true },
  'checked, three rules, an override a plan': { check: true, rules: true, override: true },
};

/** Synthesizes 1,000 plans over 50 workflows of five steps in each way, in turns, and prints the processor time of each. */
export function printValidationBench(rounds = 7): void {
  const taken = new Map(Object.keys(WAYS).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++)
    for (const [name, way] of Object.entries(WAYS)) {
      const ms = synth(way);
      if (round > 0) taken.get(name)!.push(ms);
    }
  for (const [name, ms] of taken) {
    const base = median(taken.get(WAYS[name]!.override ? 'not checked, an override a plan' : 'not checked')!);
    const share = `+${((median(ms) / base - 1) * 100).toFixed(0)} %`;
    console.log(`${name.padEnd(42)} ${median(ms).toFixed(0).padStart(5)} ms ${share.padStart(7)}`);
  }
}

function synth({ check, rules, override }: Way): number {
  const outdir = mkdtempSync(join(tmpdir(), 'bench-'));
  const start = process.cpuUsage();
  const app = new App({ outdir });
  if (rules) validateManifests(app, { rules: [podSecurity('baseline'), pinnedImages('tag'), resourcesSet()] });
  define(new Chart(app, 'etl'), override ? { spec: { nodeSelector: { pool: 'large' } } } : undefined);
  if (!check) settle(app);
  app.synth();
  const { user, system } = process.cpuUsage(start);
  rmSync(outdir, { recursive: true });
  return (user + system) / 1000;
}

function define(chart: Chart, podTemplate: PodTemplateOverride | undefined): void {
  const workflows = Array.from({ length: 50 }, (_, index) => {
    const tasks = ['extract', 'check', 'transform', 'load', 'report'].map(
      (name) =>
        new ContainerTask(chart, `${name}-${index}`, {
          image: 'ghcr.io/acme/etl:1.4',
          inputs: { site: z.string() },
          args: ({ site }) => ['--site', site],
          env: { MODE: 'fast', LOG_LEVEL: 'info' },
          resources: { requests: { cpu: 1 }, limits: { memory: '2Gi' } },
        }),
    );
    return new Workflow(chart, `etl-${index}`, { inputs: { site: z.string() } }, ({ inputs, step }) => {
      for (const task of tasks) step(task.name, task, { site: inputs.site });
    });
  });
  for (let index = 0; index < 1000; index++)
    new LaunchPlan(chart, `site-${index}`, {
      workflow: workflows[index % workflows.length]!,
      fixedInputs: { site: `site-${index}` },
      schedule: Schedule.cron('0 */6 * * *'),
      ...(podTemplate && { podTemplate, serviceAccount: `etl-${index}` }),
    });
}
