import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { V1SecurityContext } from '@kubernetes/client-node/dist/gen/models/V1SecurityContext.js';
import { MAIN_CONTAINER, type Override, type PodTemplateOverride } from '../template.ts';
import {
  environmentSources,
  environmentVariables,
  type EnvironmentSource,
  type EnvironmentValue,
} from './environment.ts';
import { resourceRequirements, type Resources } from './resources.ts';

/** What may be said of a container, the main one and those beside it. */
export interface ContainerSettings {
  /** The image that it runs. */
  readonly image?: string;
  /** When the node pulls the image. @default Kubernetes' own: `Always` for `latest`, else `IfNotPresent` */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never' | null;
  /** Its command, replacing an inherited one whole. In the kubelet's form: `$(INPUT_SITE)` is expanded. @default the image's entrypoint */
  readonly command?: readonly string[];
  /** Its arguments, replacing inherited ones whole; in the same form. @default the image's, without `command` */
  readonly args?: readonly string[];
  /**
   * Its environment by name, merged with what is inherited; `null` removes a variable. @default none
   *
   * @example
   * env: { MODE: 'fast', TOKEN: { secret: 'api', key: 'token' }, LEVEL: { configMap: settings, key: 'level' }, OLD: null }
   */
  readonly env?: Readonly<Record<string, EnvironmentValue | null>>;
  /**
   * All values of Secrets and ConfigMaps as variables, replacing an inherited list whole. @default none
   *
   * @example
   * envFrom: [{ secret: 'database', prefix: 'DB_' }, { configMap: settings }]
   */
  readonly envFrom?: readonly EnvironmentSource[] | null;
  /** Its requests and limits, merged by resource with what is inherited. @default none */
  readonly resources?: Resources | null;
  /** What it may do on its node, merged field by field. @default the image's user, Kubernetes' own capabilities */
  readonly securityContext?: Override<V1SecurityContext> | null;
}

/** The settings as fields of a container. */
export function containerFields(settings: ContainerSettings): Override<V1Container> {
  const { image, imagePullPolicy, command, args, env, envFrom, resources, securityContext } = settings;
  return {
    ...(image !== undefined && { image }),
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(command !== undefined && { command: [...command] }),
    ...(args !== undefined && { args: [...args] }),
    ...(env !== undefined && { env: environmentVariables(env) }),
    ...(envFrom !== undefined && { envFrom: envFrom && environmentSources(envFrom) }),
    ...(resources !== undefined && { resources: resources && resourceRequirements(resources) }),
    ...(securityContext !== undefined && { securityContext }),
  };
}

/** What is said of the main container. */
export function mainContainer(settings: ContainerSettings): PodTemplateOverride | undefined {
  const fields = containerFields(settings);
  return Object.keys(fields).length > 0 ? inMain(fields) : undefined;
}

/** Fields of the main container as part of a pod. */
export function inMain(fields: Override<V1Container>): PodTemplateOverride {
  return { spec: { containers: [{ name: MAIN_CONTAINER, ...fields }] } };
}
