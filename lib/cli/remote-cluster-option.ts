import { InvalidArgumentError } from 'commander';
import type { RemoteAccess } from '../controller/remote/remote-access.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, suggest } from '../values/problems.ts';

const keys = ['name', 'kubeconfig', 'context', 'namespace'] as const;
type Key = (typeof keys)[number];

/** Parses `name=gpu-eu,kubeconfig=/etc/clusters/gpu-eu/kubeconfig`, which may be given several times. */
export function parseRemoteCluster(text: string, before: readonly RemoteAccess[] = []): readonly RemoteAccess[] {
  const given: Partial<Record<Key, string>> = {};
  for (const part of text.split(',')) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    const known = keys.find((each) => each === key);
    if (known === undefined || value === '')
      throw new InvalidArgumentError(
        known === undefined
          ? `${show(part)} is none of ${keys.map((each) => `${each}=...`).join(', ')}${hint(key)}`
          : `${key} is empty`,
      );
    if (given[known] !== undefined) throw new InvalidArgumentError(`${key} is given twice`);
    given[known] = value;
  }
  const { name, kubeconfig, ...rest } = given;
  if (name === undefined || kubeconfig === undefined)
    throw new InvalidArgumentError(`${name === undefined ? 'name' : 'kubeconfig'} is missing`);
  for (const key of ['name', 'namespace'] as const) {
    const problem = given[key] === undefined ? undefined : dnsLabelProblem(given[key]);
    if (problem !== undefined) throw new InvalidArgumentError(`${key} ${show(given[key])} ${problem}`);
  }
  if (before.some((other) => other.name === name))
    throw new InvalidArgumentError(`cluster ${show(name)} is given twice`);
  return [...before, { name, kubeconfig, ...rest }];
}

function hint(key: string): string {
  const near = suggest(key, keys);
  return near?.startsWith('did you mean') ? `; ${near}` : '';
}
