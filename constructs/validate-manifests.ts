import type { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Rule } from '../lib/manifests/rule.ts';
import { formatProblem } from '../lib/values/problems.ts';
import { manifestProblems, objectsIn, type ManifestOptions, type ScopeChecks } from './manifest-checks.ts';

/** What is asked of manifests beyond what Kubernetes' own types say. */
export interface ValidationProps {
  /** Rules over the final pod template of every workload. @default none */
  readonly rules?: readonly Rule[];
  /**
   * Fields that your clusters know and Kubernetes 1.34, whose types are used, does not: `Container.newField`,
   * `Container.*` for all of a type, or `*`.
   * @default none
   */
  readonly allowFields?: readonly string[];
}

const givenTo = new WeakMap<IConstruct, ValidationProps[]>();
const covered = new WeakSet<ApiObject>();
const settled = new WeakSet<IConstruct>();

/**
 * Checks the manifest of every object in a scope at synth, also those of cdk8s-plus and your own. The objects of
 * this package are checked in any case; they too keep to the rules. Scopes within may be given more: an object keeps to the rules of
 * all scopes that it is in. A `Fleet` does this for each of its apps.
 *
 * @example
 * const app = new App();
 * validateManifests(app, { rules: [podSecurity('restricted'), pinnedImages('tag')] });
 */
export function validateManifests(scope: IConstruct, props: ValidationProps = {}): void {
  const given = givenTo.get(scope);
  if (given !== undefined) {
    given.push(props);
    return;
  }
  givenTo.set(scope, [props]);
  // cdk8s asks a scope before what is in it, so that objects which were added after this call are reached too.
  scope.node.addValidation({
    validate: () => {
      for (const object of objectsIn(scope)) if (!covered.has(object)) checkObject(object, object);
      return [];
    },
  });
}

/** @internal Has the manifest of an object checked at synth, with what is wrong told as of `teller`. */
export function checkObject(object: ApiObject, teller: IConstruct, options: ManifestOptions = {}): void {
  covered.add(object);
  teller.node.addValidation({
    validate: () =>
      settled.has(object.node.root) ? [] : [...manifestProblems(object, checksOf(object), options)].map(formatProblem),
  });
}

/** @internal Says that the manifest of an object needs no check. */
export function coverObject(object: ApiObject): void {
  covered.add(object);
}

/** @internal Has the manifests of all objects checked that a construct is made of. */
export function checkObjectsIn(construct: IConstruct): void {
  for (const object of objectsIn(construct)) checkObject(object, construct);
}

/** @internal Says that all of an app was found right, so that cdk8s does not have everything checked once more. */
export function settle(app: IConstruct): void {
  settled.add(app);
}

function checksOf(object: ApiObject): ScopeChecks {
  const given = object.node.scopes.flatMap((scope) => givenTo.get(scope) ?? []);
  return {
    rules: given.flatMap(({ rules = [] }) => rules),
    allowFields: new Set(given.flatMap(({ allowFields = [] }) => allowFields)),
  };
}
