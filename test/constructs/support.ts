import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart, Testing } from 'cdk8s';
import { Fleet, type RunDefaults } from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { readYaml } from '../../lib/values/yaml.ts';

/** A manifest as far as tests look into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into whatever field they are about
  readonly [field: string]: any;
}

/** The manifests of a chart that `define` fills. */
export function synth(define: (chart: Chart) => void): readonly Manifest[] {
  const chart = Testing.chart();
  define(chart);
  return Testing.synth(chart) as Manifest[];
}

/** The manifests of a fleet of one cluster, `eu`, whose chart `define` fills. */
export function fleetOf(runDefaults: RunDefaults, define: (chart: Chart) => void): readonly Manifest[] {
  const outdir = mkdtempSync(join(tmpdir(), 'fleet-'));
  try {
    new Fleet({ clusters: [{ name: 'eu' }], runDefaults, outdir }, (app) => define(new Chart(app, 'c'))).synth();
    return readYaml(readFileSync(join(outdir, 'eu/c.k8s.yaml'), 'utf8')) as unknown as Manifest[];
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** What synth says is wrong with a chart that `define` fills, a line a problem without the chart's own path; nothing when all is well. */
export function synthProblems(define: (chart: Construct) => void): readonly string[] {
  const chart = new Chart(new App(), 'chart');
  define(chart);
  return chart.node
    .findAll()
    .flatMap((construct) =>
      construct.node
        .validate()
        .map(
          (message) =>
            `[${construct.node.path.replace(/^chart\/?/, '')}] ${message.replace(/(\.ts):\d+/g, '$1:<line>')}`,
        ),
    );
}

export function find(manifests: readonly Manifest[], kind: string, name?: RegExp): Manifest {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && (name === undefined || name.test(manifest.metadata.name)),
  );
  if (found.length !== 1)
    throw new Error(
      `${found.length} objects of kind ${kind} ${name ?? ''}: ${manifests.map((m) => `${m.kind}/${m.metadata.name}`).join(', ')}`,
    );
  return found[0]!;
}
