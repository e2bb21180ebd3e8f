import { InvalidError, type Problem } from '../values/problems.ts';
import { isDirective, type Patch } from './directives.ts';
import { isPlainObject } from './node.ts';
import { fieldSchema, JOB_TEMPLATE, POD_TEMPLATE, type FieldSchema } from './pod-schema.ts';
import type { JobOverride } from './job-template.ts';
import { joinPath, fieldStep } from './path.ts';
import type { PodTemplateOverride } from './template.ts';
import { unionMembers } from './unions.ts';

/**
 * One override that does what two do, the lower first: merged over any template it gives what these two give one after the
 * other. What removes something stays, since nobody knows yet what there is to remove.
 *
 * @throws InvalidError where there is no such override: with `$retainKeys`, `$setElementOrder/...` and
 * `$deleteFromPrimitiveList/...`, and where a set of plain values that was removed is set again
 */
export function composeOverrides(lower: PodTemplateOverride, higher: PodTemplateOverride): PodTemplateOverride {
  return composed(lower, higher, POD_TEMPLATE) as PodTemplateOverride;
}

/** The same of parts of the Job around a pod. */
export function composeJobOverrides(lower: JobOverride, higher: JobOverride): JobOverride {
  return composed(lower, higher, JOB_TEMPLATE) as JobOverride;
}

const isReplacement = (patch: Patch) => patch['$patch'] === 'replace';
const isDeletion = (patch: Patch) => patch['$patch'] === 'delete';

function composed(lower: object, higher: object, type: string): object {
  const problems: Problem[] = [];
  const result = composeMaps(lower as Patch, higher as Patch, { type }, '', problems);
  if (problems.length > 0) throw new InvalidError('Overrides that cannot be put together', problems);
  return result;
}

function compose(
  lower: unknown,
  higher: unknown,
  schema: FieldSchema | undefined,
  path: string,
  problems: Problem[],
): unknown {
  if (lower === undefined || higher === null) return higher;
  if (higher === undefined) return lower;
  if (Array.isArray(higher)) {
    if (schema?.list === undefined || schema.list === 'atomic') return higher;
    if (schema.list === 'set') return composeSets(lower, higher, path, problems);
    const items = Array.isArray(lower) ? (lower as readonly Patch[]) : [{ $patch: 'replace' }];
    return composeItems(items, higher as readonly Patch[], schema, path, problems);
  }
  if (!isPlainObject(higher)) return higher;
  if (isPlainObject(lower)) return composeMaps(lower, higher, schema, path, problems);
  return isDeletion(higher) ? null : { ...higher, $patch: 'replace' };
}

function composeMaps(
  lower: Patch,
  higher: Patch,
  schema: FieldSchema | undefined,
  path: string,
  problems: Problem[],
): Patch {
  for (const field of Object.keys({ ...lower, ...higher }))
    if (isDirective(field) && field !== '$patch')
      problems.push({
        path: joinPath(path, field),
        message: 'cannot be put together with what another level says',
        fix: 'say it at one level only, or in the override of a step',
      });
  if (isReplacement(higher)) return higher;
  // Of a map that is set and deleted an empty one is left.
  if (isDeletion(higher)) return isDeletion(lower) ? higher : { $patch: 'replace' };
  if (isDeletion(lower)) return { ...higher, $patch: 'replace' };
  const result: Record<string, unknown> = { ...lower };
  const members = unionMembers(schema?.type) ?? [];
  const sets = (member: string) => {
    const value = higher[member];
    return value !== undefined && value !== null && !(isPlainObject(value) && isDeletion(value));
  };
  // A member of a union that is set puts the others out, also those that the lower one would put in.
  if (members.some(sets)) for (const member of members) if (!sets(member)) delete result[member];
  for (const [field, value] of Object.entries(higher)) {
    if (isDirective(field)) continue;
    const here = joinPath(path, fieldStep(field));
    result[field] = compose(result[field], value, fieldSchema(schema?.type, field), here, problems);
  }
  return result;
}

/** Items of a list that is merged by a key. Removals come first where it is merged, and so do they here. */
function composeItems(
  lower: readonly Patch[],
  higher: readonly Patch[],
  { list, type }: FieldSchema,
  path: string,
  problems: Problem[],
): readonly Patch[] {
  if (higher.some(isReplacement)) return higher;
  const { key } = list as { readonly key: string };
  const deleted = new Set(higher.filter(isDeletion).map((item) => item[key]));
  const result = lower.filter((item) => isReplacement(item) || isDeletion(item) || !deleted.has(item[key]));
  for (const item of higher) {
    const id = item[key];
    const at = result.findIndex((other) => other[key] === id && !isDeletion(other) && !isReplacement(other));
    if (isDeletion(item) || at < 0) result.push(item);
    else result[at] = composeMaps(result[at]!, item, { type }, `${path}[${String(id)}]`, problems);
  }
  return result;
}

function composeSets(lower: unknown, higher: readonly unknown[], path: string, problems: Problem[]): unknown {
  if (Array.isArray(lower)) return [...new Set([...(lower as unknown[]), ...higher])];
  problems.push({ path, message: 'was removed by another level, and cannot be set anew', fix: 'say it at one level' });
  return higher;
}
