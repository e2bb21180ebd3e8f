import { Chart } from 'cdk8s';
import {
  ContainerTask,
  Fleet,
  LaunchPlan,
  TaskJob,
  Workflow,
  type PodTemplateOverride,
  type StepOverride,
} from 'cdk8s-workflows';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './support.ts';

let outdir: string;
beforeEach(() => void (outdir = mkdtempSync(join(tmpdir(), 'policy-'))));
afterEach(() => rmSync(outdir, { recursive: true }));

const podPolicy: PodTemplateOverride = {
  spec: {
    nodeSelector: { pool: 'batch' },
    tolerations: [{ key: 'batch', operator: 'Exists' }],
    securityContext: { runAsNonRoot: true },
  },
};

function synth(
  override: StepOverride,
  policy: PodTemplateOverride | undefined = podPolicy,
  plan?: PodTemplateOverride,
): readonly Manifest[] {
  new Fleet({ clusters: [{ name: 'eu', podPolicy: policy }], outdir }, (app) => {
    const chart = new Chart(app, 'etl');
    const task = new ContainerTask(chart, 'extract', { image: 'etl:1' });
    const etl = new Workflow(chart, 'etl', {}, ({ step }) => void step('extract', task).override(override));
    if (plan) new LaunchPlan(chart, 'nightly', { workflow: etl, podTemplate: plan, serviceAccount: 'etl' });
    new TaskJob(chart, 'once', { task });
    new LaunchPlan(chart, 'single', { task });
  }).synth();
  return parseAllDocuments(readFileSync(join(outdir, 'eu/etl.k8s.yaml'), 'utf8')).map((document) => document.toJS());
}

const stepTemplate = (manifests: readonly Manifest[]) => manifests.find(({ kind }) => kind === 'PodTemplate')!;

describe("a cluster's pod policy", () => {
  it('holds for the pods of steps and of single tasks, beside what they ask for', () => {
    const manifests = synth({
      podTemplate: { spec: { nodeSelector: { gpu: 'a100' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] } },
    });
    const { spec } = stepTemplate(manifests).template;
    expect(spec.nodeSelector).toEqual({ gpu: 'a100', pool: 'batch' });
    expect(spec.tolerations.map(({ key }: { key: string }) => key).sort()).toEqual(['batch', 'gpu']);
    expect(manifests.find(({ kind }) => kind === 'Job')!.spec.template.spec.nodeSelector).toEqual({ pool: 'batch' });
  });

  it('goes with the template, to hold over what a plan or a run overrides, and changes its name', () => {
    const template = stepTemplate(synth({}));
    expect(JSON.parse(template.metadata.annotations!['cdk8s-workflows.dev/policy']!)).toEqual({
      cluster: 'eu',
      template: podPolicy,
    });
    const without = stepTemplate(synth({ podTemplate: podPolicy }, {}));
    expect(without.template).toEqual(template.template);
    expect(without.metadata.name).not.toBe(template.metadata.name);
  });

  it('refuses a step that says otherwise, naming both layers and the place', () => {
    const conflicting = {
      podTemplate: { spec: { nodeSelector: { pool: 'fast' }, securityContext: { runAsNonRoot: false } } },
    };
    expect(() => synth(conflicting)).toThrow(
      /etl\/etl\/extract: podTemplate\.spec\.nodeSelector\.pool: .*"fast".*step override of etl\/etl\/extract \(test\/constructs\/pod-policy\.test\.ts:\d+\).*cluster policy of eu/,
    );
    expect(() => synth(conflicting)).toThrow(/spec\.securityContext\.runAsNonRoot/);
  });

  it('refuses a plan that says otherwise, for each step, before anything is launched', () => {
    const message = (plan: PodTemplateOverride, policy: PodTemplateOverride = podPolicy) => {
      try {
        synth({}, policy, plan);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message({ spec: { nodeSelector: { gpu: 'a100' } } })).toBe('');
    expect(message({ spec: { nodeSelector: { pool: 'fast' } } })).toContain(
      'CronJob nightly: step extract: spec.nodeSelector.pool: is "fast" and must be "batch": plan override set it, cluster policy of eu',
    );
    expect(message({}, { spec: { serviceAccountName: 'batch' } })).toContain(
      'step extract: spec.serviceAccountName: is "etl" and must be "batch"',
    );
  });

  it('goes with the plan of a single task too', () => {
    const plan = synth({}).find(({ kind }) => kind === 'CronJob')!;
    const { annotations } = plan.spec.jobTemplate.metadata;
    expect(JSON.parse(annotations['cdk8s-workflows.dev/policy'])).toEqual({ cluster: 'eu', template: podPolicy });
    const without = synth({}, {}).find(({ kind }) => kind === 'CronJob')!;
    expect(JSON.parse(without.spec.jobTemplate.metadata.annotations['cdk8s-workflows.dev/policy']).template).toEqual(
      {},
    );
  });
});
