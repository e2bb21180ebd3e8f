import type { ApplyFailure } from './apply/apply-result.ts';

/** What is known of which cluster a context leads to, by the UIDs of the namespace `kube-system`. */
export interface ClusterIdentity {
  readonly cluster: string;
  readonly context: string;
  /** Nothing when it may not be read. */
  readonly found?: string;
  /** As the fleet says it. */
  readonly declared?: string;
  /** As it was when this cluster was applied to before. */
  readonly remembered?: string;
  /** Where that is remembered, for the message. */
  readonly file: string;
}

/** Why a context does not lead to the cluster that it is to lead to, or nothing. */
export function identityProblem(identity: ClusterIdentity): ApplyFailure | undefined {
  const { cluster, context, found, declared, remembered, file } = identity;
  const expected = declared ?? remembered;
  if (expected === undefined || expected === found) return undefined;
  if (found === undefined) {
    return {
      message: `nobody knows whether the context ${context} leads to the cluster ${cluster}: the namespace kube-system may not be read`,
      fix: 'ask for a role that lets you get it',
    };
  }
  const says = declared === undefined ? 'has been' : 'is, as the fleet says,';
  const rebuilt = declared === undefined ? `take it out of ${file}` : 'correct its uid in the fleet';
  return {
    message: `the context ${context} leads to the cluster ${found}, and ${cluster} ${says} ${expected}`,
    fix: `choose the right context; if the cluster was built anew, ${rebuilt}`,
  };
}
