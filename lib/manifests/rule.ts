import { formatProblem, type Problem } from '../values/problems.ts';
import type { PodTemplateSpec } from './workload.ts';

/** Which workload a pod template belongs to. */
export interface RuleContext {
  /** Such as `CronJob`. */
  readonly kind: string;
  /** The workload's name. */
  readonly name: string;
  /** Its namespace, if the manifest names one. */
  readonly namespace?: string;
  /** The workload's own labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** The path of the construct that made it. */
  readonly construct: string;
  /** The cluster that is synthesized, in a fleet. */
  readonly cluster?: string;
}

/** What a rule has against a template. */
export interface Violation extends Problem {
  /** Which part of the rule it is, for a rule of several. @default the whole rule */
  readonly part?: string;
}

/** Something a team asks of every pod template. */
export interface Rule {
  /** How it is called where it is violated. */
  readonly name: string;
  /** What is wrong with a template; paths begin at the template, such as `spec.containers[main].image`. */
  readonly check: (template: PodTemplateSpec, where: RuleContext) => Iterable<Violation>;
}

/**
 * A rule of your own over the final pod template of every workload: Pod, PodTemplate, Job, CronJob, Deployment, ...
 *
 * @example
 * const teamLabel = rule('team label', function* (template, { namespace }) {
 *   if (namespace !== 'sandbox' && template.metadata?.labels?.['acme.dev/team'] === undefined)
 *     yield { path: 'metadata.labels[acme.dev/team]', message: 'is missing', fix: 'name the team that is called at night' };
 * });
 */
export function rule(name: string, check: Rule['check']): Rule {
  return { name, check };
}

/** What rules have against a template, each problem once, with the rule's name. */
export function ruleProblems(
  rules: Iterable<Rule>,
  template: PodTemplateSpec,
  where: RuleContext,
): ReadonlyMap<string, Problem> {
  const found = new Map<string, Problem>();
  for (const { name, check } of rules)
    for (const { part, ...problem } of run(name, () => [...check(template, where)], where)) {
      const named = { ...problem, message: `${problem.message} (${part === undefined ? name : `${name}: ${part}`})` };
      found.set(formatProblem(named), named);
    }
  return found;
}

function run(name: string, check: () => readonly Violation[], { kind, name: workload, construct }: RuleContext) {
  try {
    return check();
  } catch (cause) {
    throw new Error(`The rule ${name} failed on ${kind} ${workload} (${construct})`, { cause });
  }
}
