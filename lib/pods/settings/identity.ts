import type { V1PodSecurityContext } from '@kubernetes/client-node/dist/gen/models/V1PodSecurityContext.js';
import type { ISecret, IServiceAccount } from 'cdk8s-plus-28';
import type { Override, PodTemplateOverride } from '../template.ts';
import { objectName } from './object-name.ts';

/** As whom a pod runs. */
export interface IdentitySettings {
  /** The service account, by name or as the construct of cdk8s-plus. @default the namespace's `default` */
  readonly serviceAccount?: string | IServiceAccount | null;
  /** Secrets to pull images with, by name or as constructs, beside inherited ones; `null` removes all. @default those of the service account */
  readonly imagePullSecrets?: readonly (string | ISecret)[] | null;
  /** User, groups and more of all containers, merged field by field. @default the images' users */
  readonly podSecurityContext?: Override<V1PodSecurityContext> | null;
}

export function identity(settings: IdentitySettings): PodTemplateOverride | undefined {
  const { serviceAccount, imagePullSecrets, podSecurityContext } = settings;
  const spec = {
    ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount && objectName(serviceAccount) }),
    ...(imagePullSecrets !== undefined && {
      imagePullSecrets: imagePullSecrets && imagePullSecrets.map((secret) => ({ name: objectName(secret) })),
    }),
    ...(podSecurityContext !== undefined && { securityContext: podSecurityContext }),
  };
  return Object.keys(spec).length > 0 ? { spec } : undefined;
}
