import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import { apiVersionOf, selfSubjectReviews } from './resources.ts';

/** Who the API server takes us for. (authentication.k8s.io/v1 SelfSubjectReview; every authenticated user may ask) */
export async function whoAmI(client: KubeClient, signal?: AbortSignal): Promise<string | undefined> {
  const { kind } = selfSubjectReviews;
  const review = { apiVersion: apiVersionOf(selfSubjectReviews), kind };
  const { status } = await client.create<Review>(selfSubjectReviews, review, { signal });
  return status?.userInfo?.username;
}

interface Review extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}
