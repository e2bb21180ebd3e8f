import type { ApplyFailure } from '../apply/apply-result.ts';

/** What is looked at before work is directed to a cluster, in the order in which it is shown. */
export const checkNames = [
  'reachable',
  'version',
  'identity',
  'controller',
  'permissions',
  'namespaces',
  'quota',
  'nodes',
  'admission',
] as const;
export type CheckName = (typeof checkNames)[number];

/** `skipped`: it was not looked at, because it was not asked for or something before it failed. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

/** Something that is not as it should be. `warning`: it works, but not as somebody may expect. */
export interface Finding extends ApplyFailure {
  readonly state: 'warning' | 'failed';
}

/** One check of one cluster. */
export interface CheckResult {
  readonly check: CheckName;
  readonly state: CheckState;
  /** A few words on what was seen, such as `v1.34.4`. */
  readonly detail?: string;
  /** Of `identity`: the UID of the namespace kube-system, which is the cluster's own for as long as it lives. */
  readonly uid?: string;
  /** Everything that is not ok; empty otherwise. */
  readonly findings: readonly Finding[];
}

/** Checks whose failure means that objects cannot be written, or not to the right place. The others are about what runs later. */
const beforeWriting: readonly CheckName[] = ['reachable', 'identity', 'permissions', 'namespaces', 'admission'];

/** Why nothing should be written to the cluster; nothing when it may be. */
export function writingFailure(results: readonly CheckResult[]): ApplyFailure | undefined {
  const findings = results
    .filter(({ check }) => beforeWriting.includes(check))
    .flatMap((result) => result.findings.filter(({ state }) => state === 'failed'));
  const [first, ...others] = findings;
  if (first === undefined || others.length === 0)
    return first && { message: first.message, ...(first.fix && { fix: first.fix }) };
  return { message: findings.map(({ message, fix }) => (fix ? `${message} (${fix})` : message)).join('; ') };
}

/** A check by what it found; `ok` when that is nothing. */
export function checked(check: CheckName, findings: readonly Finding[], detail?: string): CheckResult {
  const state = findings.some((finding) => finding.state === 'failed')
    ? 'failed'
    : findings.length > 0
      ? 'warning'
      : 'ok';
  return { check, state, ...(detail !== undefined && { detail }), findings };
}

/** A check that was not made. */
export function skipped(check: CheckName, detail: string): CheckResult {
  return { check, state: 'skipped', detail, findings: [] };
}

export function failed(message: string, fix?: string): Finding {
  return { state: 'failed', message, ...(fix !== undefined && { fix }) };
}

export function warning(message: string, fix?: string): Finding {
  return { state: 'warning', message, ...(fix !== undefined && { fix }) };
}
