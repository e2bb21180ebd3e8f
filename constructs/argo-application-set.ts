import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Cluster } from './cluster.ts';
import { gitOpsProblems, gitOpsTargets, type GitOpsProps } from './gitops.ts';
import { reportProblems } from './problems.ts';

export interface ArgoApplicationSetProps extends GitOpsProps {
  /** The repository that holds the output of synth, such as `https://git.example/acme/etl.git`. */
  readonly repoUrl: string;
  /** Branch, tag or commit. @default 'HEAD' */
  readonly revision?: string;
  /** The namespace that Argo CD is in. @default 'argocd' */
  readonly namespace?: string;
  /** The project of the Applications. @default 'default' */
  readonly project?: string;
  /** What Argo CD calls a cluster of the fleet. @default its name */
  readonly destination?: (cluster: Cluster) => string;
  /**
   * Whether Argo CD applies what changed by itself. `prune` deletes what is no longer in the directory; `selfHeal` takes back
   * what was changed on the cluster, also by `deactivate` and `failover`.
   * @default false: somebody syncs
   */
  readonly automated?: boolean | { readonly prune?: boolean; readonly selfHeal?: boolean };
  /**
   * Whether what is on a cluster stays when its Application goes, because the cluster was disabled or left the fleet. If not, runs that
   * are under way are deleted too.
   * @default true
   */
  readonly preserveResources?: boolean;
}

/**
 * An Argo CD `ApplicationSet` with an Application for every enabled cluster of a fleet, which applies the cluster's directory of the output
 * of synth. It is for the cluster that Argo CD is on, in an app of its own beside the fleet.
 *
 * @example
 * new ArgoApplicationSet(new Chart(app, 'argo'), 'etl', {
 *   clusters: fleet.clusters,
 *   repoUrl: 'https://git.example/acme/etl.git',
 *   automated: { prune: true },
 * });
 */
export class ArgoApplicationSet extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: ArgoApplicationSetProps) {
    super(scope, id);
    this.name = props.name ?? id;
    reportProblems(this, () => argoProblems(props, this.name));
    const { namespace = 'argocd', project = 'default', revision = 'HEAD', preserveResources = true } = props;
    new ApiObject(this, 'ApplicationSet', {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: this.name, namespace },
      spec: {
        goTemplate: true,
        goTemplateOptions: ['missingkey=error'],
        generators: [{ list: { elements: elementsOf(props) } }],
        syncPolicy: { preserveResourcesOnDeletion: preserveResources },
        template: {
          metadata: { name: `${this.name}-{{.cluster}}` },
          spec: {
            project,
            source: { repoURL: props.repoUrl, targetRevision: revision, path: '{{.path}}' },
            destination: { name: '{{.destination}}', namespace: '{{.namespace}}' },
            syncPolicy: {
              ...(props.automated && { automated: props.automated === true ? {} : props.automated }),
              // A graph may be larger than what the annotation of a client-side apply holds.
              syncOptions: ['ServerSideApply=true'],
            },
          },
        },
      },
    });
  }
}

function elementsOf(props: ArgoApplicationSetProps) {
  const { destination = ({ name }) => name } = props;
  return gitOpsTargets(props).map(({ cluster, path }) => ({
    cluster: cluster.name,
    destination: destination(cluster),
    namespace: cluster.namespace ?? 'default',
    path,
  }));
}

function* argoProblems(props: ArgoApplicationSetProps, name: string): Generator<Problem> {
  yield* gitOpsProblems(props, name);
  for (const field of ['repoUrl', 'revision', 'project'] as const)
    if (props[field] === '') yield { path: field, message: 'is empty' };
  const wrong = dnsLabelProblem(props.namespace ?? 'argocd');
  if (wrong !== undefined) yield { path: 'namespace', message: `${show(props.namespace)} ${wrong}` };
  for (const { cluster, destination } of elementsOf(props))
    if (destination === '') yield { path: 'destination', message: `gives nothing for the cluster ${show(cluster)}` };
}
