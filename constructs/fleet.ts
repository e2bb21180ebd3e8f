import { App } from 'cdk8s';
import { resolve } from 'node:path';
import type { ClusterSelector, Placement, PlanPlacement } from '../lib/graph/placement.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { formatProblem, InvalidError, show, suggest, type Problem } from '../lib/values/problems.ts';
import { CallSite } from './call-site.ts';
import { setClusterContext, type Cluster } from './cluster.ts';
import { StagedOutput } from './output-directory.ts';
import { settle, validateManifests, type ValidationProps } from './validate-manifests.ts';

export interface FleetProps extends ValidationProps {
  /** The clusters, at least one. */
  readonly clusters: readonly Cluster[];
  /** Where plans go that name no cluster. @default the fleet's only cluster; with several, such a plan is an error */
  readonly defaultCluster?: ClusterSelector;
  /** Where the output goes. @default `$CDK8S_OUTDIR`, which `cdk8s synth` sets, or `dist` */
  readonly outdir?: string;
}

/**
 * Several clusters and what runs on them. The function is called once per cluster with an app of its own, so that
 * the names of objects do not depend on the cluster; each app becomes a directory of manifests.
 *
 * @example
 * new Fleet({ clusters: [{ name: 'test' }, { name: 'prod' }], defaultCluster: 'test' }, (app) => {
 *   new SiteEtl(app, 'site-etl');
 * }).synth();
 */
export class Fleet {
  readonly clusters: readonly Cluster[];
  readonly #props: FleetProps;
  readonly #define: (app: App, cluster: Cluster) => void;
  readonly #site = new CallSite();

  /** @throws InvalidError when the clusters or the default cluster are wrong */
  constructor(props: FleetProps, define: (app: App, cluster: Cluster) => void) {
    const problems = [...fleetProblems(props)];
    if (problems.length > 0) throw new InvalidError('Fleet', problems);
    this.clusters = props.clusters;
    this.#props = props;
    this.#define = define;
  }

  /**
   * Writes `<outdir>/<cluster>/*.k8s.yaml` for each cluster, and `<outdir>/placement.json`. Nothing is written when
   * anything is wrong.
   *
   * @throws InvalidError with the problems of all clusters
   */
  synth(): void {
    const output = new StagedOutput(resolve(this.#props.outdir ?? process.env.CDK8S_OUTDIR ?? 'dist'));
    try {
      const plans = new Map<string, PlanPlacement>();
      const apps = this.clusters.map((cluster) => this.#app(cluster, output.directory(cluster.name), plans));
      const problems = validate(this.clusters, apps);
      if (problems.length > 0) throw new InvalidError('Synth found problems and wrote nothing', problems);
      for (const app of apps) {
        settle(app);
        app.synth();
      }
      output.publish(this.#placement(plans));
    } finally {
      output.discard();
    }
  }

  #app(cluster: Cluster, outdir: string, plans: Map<string, PlanPlacement>): App {
    const app = new App({ outdir });
    const { defaultCluster, rules, allowFields } = this.#props;
    setClusterContext(app, {
      cluster,
      clusters: this.clusters,
      plans,
      site: this.#site,
      ...(defaultCluster !== undefined && { defaultCluster }),
    });
    validateManifests(app, { rules, allowFields });
    this.#define(app, cluster);
    return app;
  }

  #placement(plans: ReadonlyMap<string, PlanPlacement>): Placement {
    const clusters = this.clusters.map(
      ({ name, context = name, namespace = 'default' }) => [name, { context, namespace }] as const,
    );
    return {
      clusters: Object.fromEntries(clusters),
      plans: Object.fromEntries([...plans].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

// The same mistake is found once for each cluster; it is told once, with the clusters only when not all have it.
function validate(clusters: readonly Cluster[], apps: readonly App[]): readonly Problem[] {
  const found = new Map<string, { readonly problem: Problem; readonly on: string[] }>();
  for (const [index, app] of apps.entries())
    for (const construct of app.node.findAll())
      for (const message of construct.node.validate()) {
        const problem = { path: construct.node.path, message };
        const entry = found.get(formatProblem(problem)) ?? { problem, on: [] as string[] };
        entry.on.push(clusters[index]!.name);
        found.set(formatProblem(problem), entry);
      }
  return [...found.values()].map(({ problem, on }) =>
    on.length === apps.length ? problem : { ...problem, message: `${problem.message} (on ${on.join(', ')})` },
  );
}

function* fleetProblems({ clusters, defaultCluster }: FleetProps): Generator<Problem> {
  if (clusters.length === 0) yield { path: 'clusters', message: 'is empty', fix: 'a fleet has at least one cluster' };
  const names = new Set<string>();
  for (const [index, { name }] of clusters.entries()) {
    const wrong = dnsLabelProblem(name);
    if (wrong !== undefined) yield { path: `clusters[${index}].name`, message: `${show(name)} ${wrong}` };
    if (names.has(name))
      yield { path: `clusters[${index}].name`, message: `two clusters are named ${show(name)}`, fix: 'rename one' };
    names.add(name);
  }
  if (typeof defaultCluster === 'string' && !names.has(defaultCluster))
    yield {
      path: 'defaultCluster',
      message: `there is no cluster ${show(defaultCluster)}`,
      fix: suggest(defaultCluster, names),
    };
}
