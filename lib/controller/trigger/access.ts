import { LAUNCH_VERB } from '../../graph/plan-permissions.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { apiVersionOf, cronJobs, subjectAccessReviews, tokenReviews, type Resource } from '../../kube/resources.ts';
import type { PlanPath } from './launch-request.ts';

/** Who sent a request, as the API server knows them. */
export interface Caller {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Whose token it is, or nothing when it is nobody's, or not meant for this service: a token for the API server is refused, as whoever
 * receives it could use it there. (authentication.k8s.io/v1: TokenReview)
 */
export async function callerOf(
  client: KubeClient,
  token: string,
  audience: string,
  signal: AbortSignal,
): Promise<Caller | undefined> {
  const spec = { token, audiences: [audience] };
  const { authenticated, user, audiences } = await review<TokenStatus>(client, tokenReviews, spec, signal);
  // Who checks tokens without looking at audiences says so by naming none of ours.
  if (authenticated !== true || !audiences?.includes(audience)) return undefined;
  return user?.username === undefined ? undefined : (user as Caller);
}

/** Whether somebody may launch a plan: do {@link LAUNCH_VERB} to its CronJob. (authorization.k8s.io/v1: SubjectAccessReview) */
export async function mayLaunch(
  client: KubeClient,
  { username, uid, groups, extra }: Caller,
  { namespace, plan }: PlanPath,
  signal: AbortSignal,
): Promise<boolean> {
  const { group, plural } = cronJobs;
  const resourceAttributes = { namespace, verb: LAUNCH_VERB, group, resource: plural, name: plan };
  const spec = { user: username, uid, groups, extra, resourceAttributes };
  const { allowed } = await review<{ readonly allowed?: boolean }>(client, subjectAccessReviews, spec, signal);
  return allowed === true;
}

interface TokenStatus {
  readonly authenticated?: boolean;
  readonly user?: Partial<Caller>;
  readonly audiences?: readonly string[];
}

async function review<S extends object>(
  client: KubeClient,
  of: Resource,
  spec: object,
  signal: AbortSignal,
): Promise<Partial<S>> {
  const body = { apiVersion: apiVersionOf(of), kind: of.kind, spec };
  const { status } = await client.create<KubeObject & { readonly status?: S }>(of, body, { signal });
  return status ?? {};
}
