import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { apiVersionOf, selfSubjectReviews } from '../../kube/resources.ts';

/** Who the API server takes us for. (authentication.k8s.io/v1 SelfSubjectReview; every authenticated user may ask) */
export async function whoAmI(client: KubeClient): Promise<string | undefined> {
  const { kind } = selfSubjectReviews;
  const { status } = await client.create<Review>(selfSubjectReviews, {
    apiVersion: apiVersionOf(selfSubjectReviews),
    kind,
  });
  return status?.userInfo?.username;
}

interface Review extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}
