import type { PodTemplate } from '../../pods/template.ts';

/** Which pods a ResourceQuota counts. */
export interface QuotaScopes {
  readonly scopes?: readonly string[];
  readonly scopeSelector?: {
    readonly matchExpressions?: readonly {
      readonly scopeName: string;
      readonly operator: string;
      readonly values?: readonly string[];
    }[];
  };
}

/** Whether a quota counts pods of a template: all of its scopes must hold. (pkg/quota/v1/evaluator/core/pods.go: podMatchesScopeFunc) */
export function inQuotaScope({ scopes = [], scopeSelector }: QuotaScopes = {}, template: PodTemplate): boolean {
  const selected = scopeSelector?.matchExpressions ?? [];
  return [...scopes.map((scopeName) => ({ scopeName, operator: 'Exists', values: [] })), ...selected].every(
    ({ scopeName, operator, values = [] }) => holds(scopeName, operator, values, template),
  );
}

function holds(scope: string, operator: string, values: readonly string[], { spec }: PodTemplate): boolean {
  switch (scope) {
    case 'Terminating':
      return spec?.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec?.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return !isBurstable(spec);
    case 'NotBestEffort':
      return isBurstable(spec);
    case 'PriorityClass':
      return named(spec?.priorityClassName, operator, values);
    default:
      // CrossNamespacePodAffinity and what comes later: counted by quotas that few pods are in.
      return false;
  }
}

function isBurstable(spec: PodTemplate['spec']): boolean {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return all.some(({ resources }) => Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0);
}

function named(name: string | undefined, operator: string, values: readonly string[]): boolean {
  if (operator === 'Exists') return name !== undefined;
  if (operator === 'DoesNotExist') return name === undefined;
  const isIn = name !== undefined && values.includes(name);
  return operator === 'In' ? isIn : !isIn;
}
