import { ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Cluster } from './cluster.ts';
import { gitOpsProblems, gitOpsTargets, type GitOpsProps } from './gitops.ts';
import { reportProblems } from './problems.ts';
import { seconds } from './settings.ts';

/** Where Flux finds the output of synth. */
export interface FluxSource {
  /** @default 'GitRepository' */
  readonly kind?: 'GitRepository' | 'OCIRepository' | 'Bucket';
  readonly name: string;
  /** @default that of the Kustomizations */
  readonly namespace?: string;
}

/** A Secret that holds a kubeconfig. */
export interface FluxKubeConfig {
  readonly name: string;
  /** @default 'value', then 'value.yaml' */
  readonly key?: string;
}

export interface FluxKustomizationsProps extends GitOpsProps {
  readonly source: FluxSource;
  /** The namespace that they are in. @default 'flux-system' */
  readonly namespace?: string;
  /** How often they are applied, and what was changed on the cluster taken back, also by `deactivate` and `failover`. @default 10 minutes */
  readonly interval?: Duration;
  /** Whether what is no longer in the directory is deleted. @default false */
  readonly prune?: boolean;
  /** Whether Flux waits until everything is ready. @default false */
  readonly wait?: boolean;
  /** How long applying and waiting may take. @default the interval */
  readonly timeout?: Duration;
  /** The Secret, in the same namespace, whose kubeconfig reaches a cluster. @default none: it is the cluster that Flux is on */
  readonly kubeConfig?: (cluster: Cluster) => FluxKubeConfig | undefined;
  /** The service account that Flux acts as on the cluster. @default Flux' own */
  readonly serviceAccount?: string;
}

/**
 * A Flux `Kustomization` for every enabled cluster of a fleet, which applies the cluster's directory of the output of synth. They are for the
 * cluster that Flux is on, in an app of their own beside the fleet. Where each cluster has a Flux of its own, give each of them the
 * one Kustomization for it: `clusters: [cluster]`.
 *
 * @example
 * new FluxKustomizations(new Chart(app, 'flux'), 'etl', {
 *   clusters: fleet.clusters,
 *   source: { name: 'etl' },
 *   kubeConfig: ({ name }) => ({ name: `${name}-kubeconfig` }),
 * });
 */
export class FluxKustomizations extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: FluxKustomizationsProps) {
    super(scope, id);
    this.name = props.name ?? id;
    reportProblems(this, () => fluxProblems(props, this.name));
    const { namespace = 'flux-system', interval = Duration.minutes(10), prune = false, serviceAccount } = props;
    const { kind = 'GitRepository', ...source } = props.source;
    for (const { cluster, path } of gitOpsTargets(props)) {
      const secretRef = props.kubeConfig?.(cluster);
      new ApiObject(this, cluster.name, {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: `${this.name}-${cluster.name}`, namespace },
        spec: {
          interval: `${seconds(interval)}s`,
          path: `./${path}`,
          prune,
          sourceRef: { kind, ...source },
          ...(props.wait !== undefined && { wait: props.wait }),
          ...(props.timeout && { timeout: `${seconds(props.timeout)}s` }),
          ...(secretRef && { kubeConfig: { secretRef } }),
          ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
        },
      });
    }
  }
}

function* fluxProblems(props: FluxKustomizationsProps, name: string): Generator<Problem> {
  yield* gitOpsProblems(props, name);
  const { namespace = 'flux-system', source, interval, timeout, serviceAccount } = props;
  const names = { namespace, 'source.namespace': source.namespace, serviceAccount };
  for (const [path, value] of Object.entries(names)) {
    const wrong = value === undefined ? undefined : dnsLabelProblem(value);
    if (wrong !== undefined) yield { path, message: `${show(value)} ${wrong}` };
  }
  if (source.name === '') yield { path: 'source.name', message: 'is empty', fix: 'name the source of Flux' };
  for (const [path, duration] of Object.entries({ interval, timeout }))
    if (duration !== undefined && duration.toMilliseconds() <= 0)
      yield { path, message: 'must be longer than nothing', fix: 'such as Duration.minutes(10)' };
  // Two clusters without one would be the same cluster, and each would take the objects of the other.
  const own = gitOpsTargets(props).filter(({ cluster }) => props.kubeConfig?.(cluster) === undefined);
  if (own.length > 1)
    yield {
      path: 'kubeConfig',
      message: `says nothing of ${own.map(({ cluster }) => cluster.name).join(', ')}, and only one can be the cluster that Flux is on`,
      fix: 'name the Secret with the kubeconfig of each of the others',
    };
}
