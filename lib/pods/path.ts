/** A place in a template, written out only when somebody asks: most merges never do. */
export interface Path {
  readonly parent: Path | undefined;
  readonly step: string;
}

/** The place of a field. A name with a dot or slash, such as a label's, is put in brackets. */
export function fieldStep(field: string): string {
  return /[./]/.test(field) ? `[${field}]` : field;
}

/** `spec.containers[main].env[A].value` */
export function pathText(path: Path | undefined, field?: string): string {
  const steps: string[] = field === undefined ? [] : [fieldStep(field)];
  for (let at = path; at !== undefined; at = at.parent) steps.push(at.step);
  return steps.reverse().reduce((text, step) => joinPath(text, step), '');
}

/** One step further. */
export function joinPath(path: string, step: string): string {
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`;
}
