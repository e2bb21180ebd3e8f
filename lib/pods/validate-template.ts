import { dnsLabelProblem, labelValueProblem, qualifiedNameProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import { joinPath, fieldStep } from './path.ts';
import type { PodTemplate } from './template.ts';
import { validateContainer, type AnyContainer } from './validate-container.ts';

/**
 * What makes a merged template no pod, as far as that can be known before a cluster is asked: names that are taken twice
 * or that Kubernetes refuses, mounts without their volume, amounts that are none or exceed their limit, containers without
 * an image. Each problem has its path and what to do. Fields that do not exist are not looked for here.
 */
export function validateTemplate(template: PodTemplate): readonly Problem[] {
  return [...problemsOf(template)];
}

function* problemsOf({ metadata, spec }: PodTemplate): Generator<Problem> {
  yield* labelMap('metadata.labels', metadata?.labels);
  for (const key of Object.keys(metadata?.annotations ?? {}))
    yield* told(joinPath('metadata.annotations', fieldStep(key)), show(key), qualifiedNameProblem(key));
  if (spec === undefined) {
    yield { path: 'spec', message: 'is missing', fix: 'a pod needs a container' };
    return;
  }
  yield* labelMap('spec.nodeSelector', spec.nodeSelector);
  if ((spec.containers ?? []).length === 0)
    yield { path: 'spec.containers', message: 'is empty', fix: 'a pod needs a container' };
  yield* uniqueContainers(spec);
  const volumes = (spec.volumes ?? []).map(({ name }) => name);
  yield* twice('spec.volumes', volumes, 'volume');
  for (const name of new Set(volumes)) yield* told(`spec.volumes[${name}].name`, show(name), dnsLabelProblem(name));
  for (const list of ['initContainers', 'containers'] as const)
    for (const container of (spec[list] ?? []) as AnyContainer[])
      yield* validateContainer(container, `spec.${list}[${container.name}]`, volumes);
  for (const [field, name] of Object.entries({
    'spec.serviceAccountName': spec.serviceAccountName,
    'spec.priorityClassName': spec.priorityClassName,
    'spec.runtimeClassName': spec.runtimeClassName,
  }))
    if (name) yield* told(field, show(name), subdomainProblem(name));
}

/** Containers, init containers and sidecars share one set of names. */
function* uniqueContainers(spec: NonNullable<PodTemplate['spec']>): Generator<Problem> {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  const seen = new Map<string, string>();
  for (const list of lists)
    for (const { name } of spec[list] ?? []) {
      const first = seen.get(name);
      seen.set(name, first ?? list);
      if (first === list) yield* twice(`spec.${list}`, [name, name], 'container');
      else if (first !== undefined)
        yield {
          path: `spec.${list}[${name}]`,
          message: `has the name of a container in spec.${first}`,
          fix: 'all containers of a pod need names of their own: rename one',
        };
    }
}

function* twice(path: string, names: readonly string[], what: string): Generator<Problem> {
  for (const [name, same] of Map.groupBy(names, (name) => name))
    if (same.length > 1)
      yield {
        path: `${path}[${name}]`,
        message: `there are ${same.length} ${what}s of this name`,
        fix: 'rename one, or leave it out',
      };
}

function* labelMap(path: string, labels: Readonly<Record<string, string>> = {}): Generator<Problem> {
  for (const [key, value] of Object.entries(labels)) {
    const at = joinPath(path, fieldStep(key));
    yield* told(at, `the key ${show(key)}`, qualifiedNameProblem(key));
    if (typeof value === 'number' || typeof value === 'boolean')
      yield { path: at, message: `must be text, not ${show(value)}`, fix: `write ${show(String(value))}` };
    else if (typeof value === 'string') yield* told(at, show(value), labelValueProblem(value));
  }
}

function* told(path: string, subject: string, wrong: string | undefined): Generator<Problem> {
  if (wrong !== undefined) yield { path, message: `${subject} ${wrong}`, fix: 'rename it' };
}

/** What names of cluster objects must be. (apimachinery/pkg/util/validation: IsDNS1123Subdomain) */
function subdomainProblem(name: string): string | undefined {
  if (name.length > 253) return `has ${name.length} characters; at most 253 fit`;
  const wrong = name.split('.').some((part) => dnsLabelProblem(part, 253) !== undefined);
  return wrong
    ? 'must be lower-case letters, digits, "-" and ".", and begin and end with a letter or digit'
    : undefined;
}
