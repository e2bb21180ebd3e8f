import { kickoffNames, kickoffText } from '../../../graph/kickoff.ts';
import { annotations, labels, scheduleAnnotations, SCHEDULED_AT, type Backfilling } from '../../../graph/labels.ts';
import { canonicalJson, type JsonObject } from '../../../values/json.ts';
import type { LaunchedJob } from '../../../runs/launch-job.ts';

/** The label value of a backfill: the same for the same times, so that whoever goes on with one finds its runs. */
export function backfillId(from: number, to: number): string {
  return [from, to].map((time) => kickoffText(time).replace(/[-:]/g, '')).join('-');
}

/**
 * A run that makes up for a time. It belongs to no CronJob, whose history limits would delete it, and the like of which is no part of a
 * manifest that goes to another cluster; labels say whose it is.
 *
 * @param made as a launch makes it
 */
export function backfillJob(made: LaunchedJob, id: string, time: number, turns: Backfilling | undefined): LaunchedJob {
  const { ownerReferences: _, labels: given, annotations: notes = {}, ...metadata } = made.metadata;
  // By these the controller would take it for one that comes too early or too late, or let it wait for runs of today.
  const dropped = [...scheduleAnnotations, 'cronjob.kubernetes.io/instantiate'];
  const kept = Object.entries(notes).filter(([key]) => !dropped.includes(key));
  return {
    ...made,
    metadata: {
      ...metadata,
      labels: { ...given, [labels.backfill]: id },
      annotations: {
        ...Object.fromEntries(kept),
        ...inputsAt(notes, time),
        [SCHEDULED_AT]: kickoffText(time),
        ...(turns && { [annotations.backfill]: JSON.stringify(turns) }),
      },
    },
  };
}

/** The launch has written its own time into these inputs. */
function inputsAt(notes: Readonly<Record<string, string>>, time: number): Record<string, string> {
  const names = kickoffNames({ annotations: notes });
  if (names.length === 0) return {};
  const inputs = JSON.parse(notes[annotations.inputs] ?? '{}') as JsonObject;
  const at = Object.fromEntries(names.map((name) => [name, kickoffText(time)]));
  return { [annotations.inputs]: canonicalJson({ ...inputs, ...at }) };
}
