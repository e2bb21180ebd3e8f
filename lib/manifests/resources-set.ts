import { containersOf } from './containers.ts';
import { rule, type Rule } from './rule.ts';

/** Which amounts every container must state. */
export interface ResourcesSetOptions {
  /** @default ['cpu', 'memory'] */
  readonly requests?: readonly string[];
  /** @default ['memory'] */
  readonly limits?: readonly string[];
}

/**
 * Every container must request, and be limited to, the resources that are named. A limit counts as a request, since
 * Kubernetes makes it one (core/v1/defaults.go); an amount of the whole pod counts for all of its containers.
 *
 * @example
 * validateManifests(app, { rules: [resourcesSet({ requests: ['cpu', 'memory'], limits: [] })] });
 */
export function resourcesSet({ requests = ['cpu', 'memory'], limits = ['memory'] }: ResourcesSetOptions = {}): Rule {
  return rule('resourcesSet', function* (template) {
    const pod = template.spec?.resources;
    for (const { path, container } of containersOf(template)) {
      // An ephemeral container may not have resources. (core/validation)
      if (path.startsWith('spec.ephemeralContainers')) continue;
      const amounts = [container.resources, pod];
      for (const resource of limits)
        if (!amounts.some((of) => of?.limits?.[resource] !== undefined))
          yield missing(`${path}.resources.limits`, resource, 'limit');
      for (const resource of requests)
        if (!amounts.some((of) => (of?.requests?.[resource] ?? of?.limits?.[resource]) !== undefined))
          yield missing(`${path}.resources.requests`, resource, 'request');
    }
  });
}

function missing(path: string, resource: string, what: string) {
  const at = /^[\w-]+$/.test(resource) ? `${path}.${resource}` : `${path}[${resource}]`;
  return { path: at, message: 'is not set', fix: `state a ${what} of ${resource}` };
}
