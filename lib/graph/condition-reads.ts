import { statusFields, type StatusField } from './value-source.ts';

/** Whether an expression names an input, as `inputs.site` or with brackets. */
export function readsInput(cel: string, input: string): boolean {
  return [...cel.matchAll(new RegExp(`\\binputs${NAME}`, 'g'))].some(([, a, b]) => (a ?? b) === input);
}

/** The outputs of a step that an expression names, as `steps.extract.outputs.rows` or with brackets. */
export function outputsRead(cel: string, step: string): string[] {
  return namesRead(cel, step, 'outputs');
}

/** The parts of a step's end that an expression names, as `steps.extract.status.phase`. */
export function statusesRead(cel: string, step: string): StatusField[] {
  const read = new Set(namesRead(cel, step, 'status'));
  return statusFields.filter((field) => read.has(field));
}

const NAME = String.raw`(?:\.(\w+)|\[["']([^"']+)["']\])`;

function namesRead(cel: string, step: string, part: 'outputs' | 'status'): string[] {
  const reference = new RegExp(`\\bsteps${NAME}\\.${part}${NAME}`, 'g');
  return [...cel.matchAll(reference)].flatMap(([, a, b, c, d]) => ((a ?? b) === step ? [c ?? d!] : []));
}
