import { formatAge, formatDuration } from '../../terminal/duration.ts';
import type { Colors } from '../../terminal/output.ts';
import type { Column } from '../../terminal/table.ts';
import { durationOf, runPhases, type RunSummary } from '../../../runs/run-summary.ts';

/** A row of `runs`: a run, or one that its plan skipped. */
export type ListedRun = Omit<RunSummary, 'phase'> & { readonly phase: ListedPhase };

export const listedPhases = [...runPhases, 'Skipped'] as const;
export type ListedPhase = (typeof listedPhases)[number];

/** The columns of `runs`. */
export function runColumns(
  now: number,
  colors: Colors,
  options: { readonly allNamespaces?: boolean; readonly allClusters?: boolean } = {},
): Column<ListedRun>[] {
  const cluster: Column<ListedRun> = { header: 'CLUSTER', value: (run) => run.cluster ?? '' };
  const namespace: Column<ListedRun> = { header: 'NAMESPACE', value: (run) => run.namespace };
  return [
    ...(options.allClusters ? [cluster] : []),
    ...(options.allNamespaces ? [namespace] : []),
    { header: 'NAME', value: ({ name }) => name },
    { header: 'PLAN', value: ({ plan }) => plan ?? '-' },
    { header: 'PHASE', value: ({ phase }) => phase, style: (text, { phase }) => paintRunPhase(phase, colors)(text) },
    { header: 'STEPS', value: ({ progress: p }) => (p === undefined ? '-' : `${p.succeeded}/${p.total}`) },
    { header: 'AGE', value: ({ createdAt }) => formatAge(createdAt, now) },
    { header: 'DURATION', value: (run) => optionalDuration(durationOf(run, now)) },
    { header: 'WORKFLOW', value: ({ workflow }) => workflow ?? '-', wide: true },
    { header: 'MESSAGE', value: ({ message }) => message ?? '', wide: true },
  ];
}

/** The colour of a run's phase; those of steps are in `phases.ts`. */
export function paintRunPhase(phase: ListedPhase, colors: Colors): (text: string) => string {
  if (phase === 'Succeeded') return colors.green;
  if (phase === 'Failed') return colors.red;
  if (phase === 'Running') return colors.cyan;
  if (phase === 'Cancelled') return colors.magenta;
  return phase === 'Suspended' ? colors.yellow : colors.dim;
}

/** Newest first; those of the same second by name, so that the table does not jump. */
export function newestFirst(a: ListedRun, b: ListedRun): number {
  return (b.createdAt ?? '').localeCompare(a.createdAt ?? '') || a.name.localeCompare(b.name);
}

export function optionalDuration(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : formatDuration(milliseconds);
}
