import { rule, type Rule } from './rule.ts';
import { BASELINE } from './pod-security-baseline.ts';
import { toCheckedPod, type PodCheck } from './pod-security-check.ts';
import { RESTRICTED } from './pod-security-restricted.ts';

/** A level of the Pod Security Standards that forbids something. */
export type PodSecurityLevel = 'baseline' | 'restricted';

/** The checks of a level by name: those of `restricted` are the baseline's, but for the ones it makes stricter. */
export const CHECKS: Readonly<Record<PodSecurityLevel, readonly PodCheck[]>> = {
  baseline: BASELINE,
  restricted: [...BASELINE.filter(({ id }) => !RESTRICTED.some(({ overrides }) => overrides === id)), ...RESTRICTED],
};

/**
 * Every pod must keep to a level of the Pod Security Standards, so that a namespace which enforces it takes the pod.
 * The checks are those of the level's version `latest` at Kubernetes 1.34.
 *
 * @example
 * new Fleet({ clusters, rules: [podSecurity('restricted')] }, define);
 */
export function podSecurity(level: PodSecurityLevel): Rule {
  return rule(`podSecurity ${level}`, function* (template) {
    const pod = toCheckedPod(template);
    for (const { id, problems } of CHECKS[level]) for (const problem of problems(pod)) yield { ...problem, part: id };
  });
}
