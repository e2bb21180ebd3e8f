import { isJsonObject, type JsonObject } from '../values/json.ts';
import { show } from '../values/problems.ts';
import { checkValues, type ObjectSchema } from '../values/schema.ts';
import type { OutputsText } from './advance.ts';
import type { StepReason } from './reasons.ts';

/** The outputs of an attempt that ended well, or why they make it a failure after all. */
export type OutputsRead =
  { readonly outputs: JsonObject | undefined } | { readonly reason: StepReason; readonly message: string };

/** Reads what an attempt wrote. A task that declares no outputs may write what it likes. */
export function readOutputs(schema: ObjectSchema | undefined, written: OutputsText | undefined): OutputsRead {
  if (schema === undefined) return { outputs: undefined };
  if (written?.cutAt !== undefined)
    return { reason: 'OutputsTooLarge', message: tooLarge(written.text, written.cutAt) };
  const text = written?.text.trim() ?? '';
  if (text === '' && schema.required.length > 0)
    return { reason: 'OutputsMissing', message: `it wrote no outputs; ${schema.required.join(', ')} must be there` };
  const values = text === '' ? {} : parse(text);
  if (!isJsonObject(values))
    return { reason: 'OutputsNotJson', message: `the outputs are not a JSON object: ${show(text)}` };
  const checked = checkValues(schema, values, 'drop', 'outputs');
  if (checked.ok) return { outputs: checked.values };
  const problems = checked.problems.map(({ path, message, fix }) => `${path} ${message}${fix ? `, ${fix}` : ''}`);
  return { reason: 'OutputsInvalid', message: problems.join('; ') };
}

function tooLarge(text: string, fits: number): string {
  const size = Buffer.byteLength(text);
  // Kubernetes hands over no more than what fits, so the full size is not always known.
  if (size <= fits) return `the outputs have more than the ${fits} bytes that fit; ${size} bytes were kept`;
  return `the outputs have ${size} bytes; ${fits} bytes fit`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
