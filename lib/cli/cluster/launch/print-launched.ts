import { clusterFlags } from '../cluster-session.ts';
import type { CliContext } from '../../context.ts';
import type { ClusterOptions } from '../../options.ts';
import type { RunJob } from '../../../runs/run-objects.ts';

/** How a run that was created is printed. */
export interface LaunchedOptions extends ClusterOptions {
  readonly dryRun?: boolean;
  readonly output?: 'json' | 'name' | 'yaml';
  /** Whether it was not there before. @default true */
  readonly created?: boolean;
}

/** What became of a launch. */
export function launchedText({ metadata: { name } }: RunJob, created = true): string {
  return created ? `run ${name} launched` : `run ${name} is there already, launched with this key`;
}

/** Prints a run that nobody waits for. `more`: what there is to say of it beside its name. */
export async function printLaunched(
  context: CliContext,
  job: RunJob,
  options: LaunchedOptions,
  more = '',
): Promise<void> {
  const { output, dryRun, created } = options;
  const { out, err, program } = context;
  const { name } = job.metadata;
  // As kubectl: nobody wants to read who manages which field.
  const shown = { ...job, metadata: { ...job.metadata, managedFields: undefined } };
  if (output === 'json') return out.json(shown);
  if (output === 'yaml') return out.yaml(JSON.parse(JSON.stringify(shown)));
  if (output === 'name') return out.line(`job.batch/${name}`);
  out.line(`${launchedText(job, created)}${more}${dryRun ? ' (dry run, nothing was started)' : ''}`);
  if (dryRun || !err.isTerminal) return;
  const where = clusterFlags(options);
  err.line(err.colors.dim(`  ${program} describe ${name}${where}\n  ${program} logs ${name} -f${where}`));
}
