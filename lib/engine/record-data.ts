import { RECORD_ITEMS_PREFIX, RECORD_RUN_KEY, RECORD_STEP_PREFIX } from '../graph/object-names.ts';
import type { Decision } from './advance.ts';
import { encodeRun, encodeStep, type EncodedRecord, type RecordForm } from './codec.ts';
import { encodeItems } from './item-codec.ts';

/** A record in the data of a ConfigMap: a key for the run, one for each step, one for each block of items. */
export type RecordData = Readonly<Record<string, string>>;

/** The record in a ConfigMap's data; other keys are passed over. */
export function readRecordData(data: RecordData): EncodedRecord {
  return {
    run: data[RECORD_RUN_KEY] ?? 'null',
    steps: under(RECORD_STEP_PREFIX, data),
    items: under(RECORD_ITEMS_PREFIX, data),
  };
}

/** What a decision changes of the data. */
export function* changedData(
  { run, steps, items = new Map() }: Pick<Decision, 'run' | 'steps' | 'items'>,
  form: RecordForm,
) {
  if (run) yield [RECORD_RUN_KEY, encodeRun(run)] as const;
  for (const [name, step] of steps) yield [`${RECORD_STEP_PREFIX}${name}`, encodeStep(step, form)] as const;
  for (const [key, block] of items) yield [`${RECORD_ITEMS_PREFIX}${key}`, encodeItems(block)] as const;
}

/** What is kept under keys that begin so, by what follows. */
function under(prefix: string, data: RecordData): Record<string, string> {
  const found = Object.entries(data).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(found.map(([key, text]) => [key.slice(prefix.length), text]));
}
