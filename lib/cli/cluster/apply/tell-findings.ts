import type { CheckResult } from '../../../fleet/preflight/check-result.ts';
import type { CliContext } from '../../context.ts';

/** What was found before something is written, and does not forbid it: a warning for each. */
export function tellFindings({ err }: CliContext, cluster: string, checks: readonly CheckResult[]): void {
  for (const { check, findings } of checks)
    for (const { message, fix } of findings)
      err.line(
        `${err.colors.yellow('warning:')} ${cluster}, ${check}: ${message}${fix === undefined ? '' : `; ${fix}`}`,
      );
}
