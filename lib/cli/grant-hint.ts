import { planAccesses, planRules } from '../graph/plan-permissions.ts';

/** How the API server says that something is not allowed. (apiserver/pkg/endpoints/handlers/responsewriters/errors.go) */
const DENIED = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"/;

const methods = { view: 'grantView', trigger: 'grantTrigger', launch: 'grantLaunch', operate: 'grantOperate' } as const;

/** Which grants of a plan would allow what an error says was refused; nothing when none would, or nothing was. */
export function grantHint(message: string): string | undefined {
  const [, verb, resource, group] = DENIED.exec(message) ?? [];
  if (verb === undefined) return undefined;
  const grants = planAccesses.filter((access) =>
    planRules(access, { names: [], ofGroup: true }).some(
      ({ apiGroups, resources, verbs }) =>
        apiGroups.includes(group!) && resources.includes(resource!) && verbs.includes(verb),
    ),
  );
  if (grants.length === 0) return undefined;
  const names = grants.map((access) => methods[access]);
  const allow =
    names.length === 1 ? `${names[0]} allows` : `${names.slice(0, -1).join(', ')} and ${names.at(-1)} allow`;
  return `Of the grants of a plan, ${allow} to ${verb} ${resource}.`;
}

/** The same of several errors, each hint once. */
export function grantHints(messages: Iterable<string>): readonly string[] {
  return [...new Set([...messages].flatMap((message) => grantHint(message) ?? []))];
}
