import { ServiceAccount } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import { remoteFailoverRules, remoteRunsRules } from '../lib/graph/permissions.ts';
import { grant } from './grant.ts';
import { checkObjectsIn } from './validate-manifests.ts';

export interface RemoteRunsAccountProps {
  /** @default 'cdk8s-workflows-remote-runs' */
  readonly name?: string;
  /** Where the other controller may make runs: in its own namespace, with a Role, or in every namespace, with a ClusterRole. @default 'namespace' */
  readonly scope?: 'namespace' | 'cluster';
  /** Whether it may also suspend the plans that it takes over, see `failover` of `WorkflowController`. @default false */
  readonly failover?: boolean;
}

/**
 * The service account as which the controller of another cluster makes runs on this one, with a role that allows what it
 * does and no more. Its token belongs into the kubeconfig that the other controller gets.
 *
 * @example
 * new RemoteRunsAccount(chart, 'from-other-clusters');
 */
export class RemoteRunsAccount extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: RemoteRunsAccountProps = {}) {
    super(scope, id);
    this.name = props.name ?? 'cdk8s-workflows-remote-runs';
    const account = new ServiceAccount(this, 'ServiceAccount', {
      metadata: { name: this.name, labels: { [labels.managedBy]: MANAGED_BY } },
      automountToken: false,
    });
    const rules = [...remoteRunsRules, ...(props.failover ? remoteFailoverRules : [])];
    const kind = props.scope === 'cluster' ? 'ClusterRole' : 'Role';
    grant(this, { kind, name: this.name, rules, subjects: () => [account] });
    checkObjectsIn(this);
  }
}
