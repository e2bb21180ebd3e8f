import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import { dnsLabelProblem } from '../values/names.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { compareQuantities, nearQuantity, parseQuantity, quantityProblem } from '../values/quantity.ts';
import { fieldStep, joinPath } from './path.ts';

/** A container as an override may have left it: nothing is sure to be there. */
export type AnyContainer = Partial<V1Container>;

/** What is wrong with one container, given the volumes of its pod. A value that is an object stands for one that a run gives; it is not judged. */
export function* validateContainer(
  container: AnyContainer,
  path: string,
  volumes: readonly string[],
): Generator<Problem> {
  const { name = '', image, env = [] } = container;
  const wrongName = dnsLabelProblem(name);
  if (wrongName !== undefined) yield { path: `${path}.name`, message: `${show(name)} ${wrongName}`, fix: 'rename it' };
  if (image === undefined || image === '')
    yield { path: `${path}.image`, message: 'is missing', fix: 'set the image that the container runs' };
  else if (typeof image === 'string' && image.trim() !== image)
    yield { path: `${path}.image`, message: `${show(image)} has spaces around it`, fix: `write ${show(image.trim())}` };
  yield* resourceProblems(container, path);
  yield* mountProblems(container, path, volumes);
  for (const { name: variable, value, valueFrom } of env) {
    const at = `${path}.env[${variable}]`;
    // validation.IsRelaxedEnvVarName: any printable ASCII but "=".
    if (!/^[\x20-\x3c\x3e-\x7e]+$/.test(variable))
      yield { path: at, message: `${show(variable)} is no name of a variable`, fix: 'rename it' };
    if (value !== undefined && value !== '' && valueFrom !== undefined)
      yield { path: at, message: 'has both value and valueFrom', fix: 'keep one' };
    if (typeof value === 'number' || typeof value === 'boolean')
      yield { path: `${at}.value`, message: `must be text, not ${show(value)}`, fix: `write ${show(String(value))}` };
  }
}

function* resourceProblems({ resources }: AnyContainer, path: string): Generator<Problem> {
  const { requests = {}, limits = {} } = resources ?? {};
  for (const [kind, amounts] of Object.entries({ requests, limits }))
    for (const [resource, amount] of Object.entries(amounts)) {
      const at = joinPath(`${path}.resources.${kind}`, fieldStep(resource));
      if (typeof amount === 'object') continue;
      const wrong = quantityProblem(amount);
      if (wrong !== undefined) yield { path: at, message: `${show(amount)} ${wrong}`, fix: nearQuantity(amount) };
      else if (parseQuantity(amount)! < 0n)
        yield { path: at, message: `${show(amount)} is negative`, fix: 'give an amount from 0' };
      else if (isExtended(resource) && parseQuantity(amount)! % 1_000_000_000n !== 0n)
        yield { path: at, message: `${show(amount)} is not whole`, fix: 'devices are given whole' };
    }
  for (const [resource, request] of Object.entries(requests)) {
    const limit = limits[resource];
    const at = joinPath(`${path}.resources.requests`, fieldStep(resource));
    const order = limit === undefined ? undefined : compareQuantities(request, limit);
    if (order === 1)
      yield {
        path: at,
        message: `${show(request)} is above the limit of ${show(limit)}`,
        fix: 'lower the request or raise the limit',
      };
    else if (isExtended(resource) && order !== 0 && order !== undefined)
      yield {
        path: at,
        message: `${show(request)} is not the limit of ${show(limit)}`,
        fix: 'devices need both equal',
      };
  }
  for (const resource of Object.keys(requests))
    if (isExtended(resource) && limits[resource] === undefined)
      yield {
        path: joinPath(`${path}.resources.limits`, fieldStep(resource)),
        message: 'is missing',
        fix: `set it to ${show(requests[resource])}, as the request: devices need both equal`,
      };
}

/** Devices and huge pages cannot be overcommitted. (validation.go: helper.IsOvercommitAllowed) */
function isExtended(resource: string): boolean {
  return (resource.includes('/') && !/(^|\.)kubernetes\.io\//.test(resource)) || resource.startsWith('hugepages-');
}

function* mountProblems(container: AnyContainer, path: string, volumes: readonly string[]): Generator<Problem> {
  const seen = new Set<string>();
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const at = `${path}.volumeMounts[${mountPath}]`;
    if (name === undefined) yield { path: at, message: 'names no volume', fix: 'set its name' };
    else if (!volumes.includes(name)) yield missingVolume(at, name, volumes);
    if (seen.has(mountPath))
      yield { path: at, message: 'is mounted twice', fix: 'leave one out: a path has one volume' };
    seen.add(mountPath);
  }
  for (const { name, devicePath } of container.volumeDevices ?? [])
    if (!volumes.includes(name)) yield missingVolume(`${path}.volumeDevices[${devicePath}]`, name, volumes);
}

function missingVolume(path: string, name: string, volumes: readonly string[]): Problem {
  return {
    path,
    message: `there is no volume ${show(name)}`,
    fix: suggest(name, volumes) ?? 'add it to spec.volumes',
  };
}
