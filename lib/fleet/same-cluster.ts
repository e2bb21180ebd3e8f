import { checked, failed, type CheckResult } from './preflight/check-result.ts';

/** One cluster and its checks. */
interface Checked {
  readonly cluster: string;
  /** For objects that name none; left out when it could not be found out. */
  readonly namespace?: string;
  readonly checks: readonly CheckResult[];
}

/**
 * The results, with a failed identity for clusters of a fleet whose contexts lead to one namespace of one cluster: what is written
 * for the one would be taken for the other's.
 */
export function sameClusterTwice<T extends Checked>(results: readonly T[]): T[] {
  const places = Map.groupBy(results, (result) => `${identityOf(result)} ${result.namespace}`);
  return results.map((result) => {
    const uid = identityOf(result);
    const others = places.get(`${uid} ${result.namespace}`)!.filter((other) => other !== result);
    if (uid === undefined || others.length === 0) return result;
    const names = others.map(({ cluster }) => cluster).join(', ');
    const finding = failed(
      `is the same namespace of the same cluster as ${names}`,
      'give each its own context or namespace',
    );
    return { ...result, checks: result.checks.map((check) => withFinding(check, finding)) };
  });
}

function withFinding(result: CheckResult, finding: ReturnType<typeof failed>): CheckResult {
  if (result.check !== 'identity') return result;
  return { ...result, ...checked('identity', [...result.findings, finding], result.detail) };
}

function identityOf({ checks }: Checked): string | undefined {
  return checks.find(({ check }) => check === 'identity')?.uid;
}
