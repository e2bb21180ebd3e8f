import { kickoffText } from '../../../graph/kickoff.ts';
import { TimeZone } from '../../../values/time-zone.ts';
import { formatTable, type Column } from '../../terminal/table.ts';
import type { BackfillRun } from './backfill-plan.ts';
import type { BackfillPhase } from './backfill-watch.ts';
import { wanted, type Backfill } from './make-backfill.ts';
import { summaryOf } from '../../../runs/run-summary.ts';

/** What a dry run shows: each time, its run, and what would be done. */
export function backfillTable({ runs, timeZone = 'UTC' }: Backfill): string {
  const zone = new TimeZone(timeZone);
  const columns: Column<BackfillRun>[] = [
    { header: 'TIME', value: ({ time }) => zone.format(time) },
    { header: 'RUN', value: ({ name }) => name },
    { header: 'WHAT', value: actionText },
  ];
  return formatTable(columns, runs);
}

function actionText({ action, existing }: BackfillRun): string {
  if (existing === undefined) return 'make';
  const { phase } = summaryOf(existing);
  return action === 'rerun' ? `make again (${phase})` : `exists (${phase})`;
}

/** The runs that are missing as a List, which kubectl takes. */
export function backfillList(backfills: readonly Backfill[]): object {
  const items = backfills.flatMap((backfill) => wanted(backfill).map((run) => backfill.jobOf(run)));
  // Each has its own: what several share would be written as an alias of YAML.
  return { apiVersion: 'v1', kind: 'List', items: items.map((job) => structuredClone(job)) };
}

/** What became of a run. */
export interface BackfilledRun {
  readonly made: boolean;
  /** When it was waited for. */
  readonly phase?: BackfillPhase;
}

/** A backfill as `-o json` has it. */
export function backfillDocument(backfill: Backfill, resultOf: (run: string) => BackfilledRun): object {
  const { plan, id, from, to, timeZone, turns, runs } = backfill;
  return {
    plan: plan.metadata.name,
    namespace: plan.metadata.namespace,
    backfill: id,
    from: kickoffText(from),
    to: kickoffText(to),
    timeZone,
    ...turns,
    runs: runs.map(({ name, time, existing }) => {
      const { made, phase } = resultOf(name);
      const seen = phase ?? (made || existing === undefined ? undefined : summaryOf(existing).phase);
      return { name, time: kickoffText(time), made, phase: seen };
    }),
  };
}
