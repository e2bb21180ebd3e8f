import type { JsonObject } from '../../lib/values/json.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import type { Rule } from '../../lib/manifests/rule.ts';
import { ruleProblems } from '../../lib/manifests/rule.ts';
import type { PodTemplateSpec } from '../../lib/manifests/workload.ts';

/** A manifest with a name. */
export const manifest = (apiVersion: string, kind: string, rest: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...rest,
});

/** A pod template whose only container has these fields. */
export const template = (container: object = {}, spec: object = {}, metadata: object = {}): PodTemplateSpec => ({
  metadata,
  spec: { containers: [{ name: 'main', image: 'etl:1', ...container }], ...spec },
});

/** What a rule says of a template, a line a problem. */
export const violations = (rule: Rule, of: PodTemplateSpec): readonly string[] =>
  [...ruleProblems([rule], of, { kind: 'Pod', name: 'x', labels: {}, construct: 'c/x' }).values()].map(formatProblem);
