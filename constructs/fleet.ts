import { App } from 'cdk8s';
import { resolve } from 'node:path';
import type { ClusterChoice } from '../lib/graph/place-plan.ts';
import { DEFAULT_FLEET, type PlacedCluster, type Placement, type PlanPlacement } from '../lib/graph/placement.ts';
import { formatProblem, InvalidError, type Problem } from '../lib/values/problems.ts';
import { CallSite } from './call-site.ts';
import { setClusterContext, type Cluster } from './cluster.ts';
import { fleetProblems } from './fleet-checks.ts';
import type { RunDefaults } from './launch-plan-settings.ts';
import { StagedOutput } from './output-directory.ts';
import { settle, validateManifests, type ValidationProps } from './validate-manifests.ts';

export interface FleetProps extends ValidationProps {
  /**
   * Tells this fleet from others that are on the same clusters: `apply` takes no directory of one for the other's. A DNS label.
   * @default 'default'
   */
  readonly name?: string;
  /** The clusters, at least one. */
  readonly clusters: readonly Cluster[];
  /** Where plans go that name no cluster. @default the fleet's only cluster; with several, such a plan is an error */
  readonly defaultCluster?: ClusterChoice;
  /**
   * How clusters must be named: what their names must match, or what tells why a name is wrong, and nothing of one that is right.
   * @default any DNS label
   */
  readonly clusterNaming?: RegExp | ((name: string) => string | undefined);
  /** What holds for plans and runs that do not say otherwise, on every cluster. @default nothing */
  readonly runDefaults?: RunDefaults;
  /** Where the output goes. @default `$CDK8S_OUTDIR`, which `cdk8s synth` sets, or `dist` */
  readonly outdir?: string;
}

/**
 * Several clusters and what runs on them. The function is called once per enabled cluster with an app of its own, so that
 * the names of objects do not depend on the cluster; each app becomes a directory of manifests.
 *
 * @example
 * new Fleet({ clusters: [{ name: 'test' }, { name: 'prod' }], defaultCluster: 'test' }, (app) => {
 *   new SiteEtl(app, 'site-etl');
 * }).synth();
 */
export class Fleet {
  readonly name: string;
  /** All of them, also those that are disabled. */
  readonly clusters: readonly Cluster[];
  readonly #props: FleetProps;
  readonly #define: (app: App, cluster: Cluster) => void;
  readonly #site = new CallSite();

  /** @throws InvalidError when the clusters or the default cluster are wrong */
  constructor(props: FleetProps, define: (app: App, cluster: Cluster) => void) {
    const problems = [...fleetProblems(props)];
    if (problems.length > 0) throw new InvalidError('Fleet', problems);
    this.name = props.name ?? DEFAULT_FLEET;
    this.clusters = props.clusters;
    this.#props = props;
    this.#define = define;
  }

  /**
   * Writes `<outdir>/<cluster>/*.k8s.yaml` for each enabled cluster, and `<outdir>/placement.json`. Nothing is written when
   * anything is wrong.
   *
   * @throws InvalidError with the problems of all clusters
   */
  synth(): void {
    const output = new StagedOutput(resolve(this.#props.outdir ?? process.env.CDK8S_OUTDIR ?? 'dist'));
    try {
      const plans = new Map<string, PlanPlacement>();
      const clusters = this.clusters.filter(({ enabled }) => enabled !== false);
      const apps = this.#apps(clusters, output, plans);
      const problems = validate(clusters, apps);
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

  /** The app of each cluster, defined one after the other; only then can one of them look at what another has. */
  #apps(clusters: readonly Cluster[], output: StagedOutput, plans: Map<string, PlanPlacement>): readonly App[] {
    const { defaultCluster, runDefaults, rules, allowFields } = this.#props;
    const apps = new Map<string, App>();
    const onDefined: (() => void)[] = [];
    const common = {
      clusters: this.clusters,
      plans,
      apps,
      onDefined,
      site: this.#site,
      ...(defaultCluster !== undefined && { defaultCluster }),
      ...(runDefaults && { runDefaults }),
    };
    for (const cluster of clusters) {
      const app = new App({ outdir: output.directory(cluster.name) });
      apps.set(cluster.name, app);
      setClusterContext(app, { ...common, cluster });
      validateManifests(app, { rules, allowFields });
      this.#define(app, cluster);
    }
    for (const told of onDefined) told();
    return [...apps.values()];
  }

  #placement(plans: ReadonlyMap<string, PlanPlacement>): Placement {
    return {
      fleet: this.name,
      clusters: Object.fromEntries(this.clusters.map((cluster) => [cluster.name, placed(cluster)])),
      plans: Object.fromEntries([...plans].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

function placed({
  name,
  context = name,
  uid,
  namespace = 'default',
  labels,
  weight = 1,
  enabled = true,
  capabilities,
}: Cluster): PlacedCluster {
  return {
    context,
    ...(uid !== undefined && { uid }),
    namespace,
    ...(labels && { labels }),
    weight,
    enabled,
    ...(capabilities && { capabilities }),
  };
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
