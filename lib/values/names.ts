/** The rules for names that Kubernetes enforces, checked before any cluster is asked. (apimachinery/pkg/util/validation) */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Longest name of a run: its pods are `<run>-<step>-<attempt>` and their names must fit into a label value. */
export const MAX_RUN_NAME = 63;

/** Why `name` is no DNS label of at most `max` characters, or nothing. */
export function dnsLabelProblem(name: string, max = 63): string | undefined {
  if (name.length === 0) return 'is empty';
  if (name.length > max) return `has ${name.length} characters; at most ${max} fit`;
  if (!LABEL.test(name)) return 'must be lower-case letters, digits and "-", and begin and end with a letter or digit';
  return undefined;
}

/** Why `value` is no label value, or nothing. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return `has ${value.length} characters; a label value holds at most 63`;
  if (value !== '' && !/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value))
    return 'must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
  return undefined;
}

/** Why `key` is no label or annotation key, or nothing. */
export function qualifiedNameProblem(key: string): string | undefined {
  const [name, prefix, ...rest] = key.split('/').reverse() as [string, ...string[]];
  if (rest.length > 0) return 'has more than one "/"';
  if (prefix !== undefined && (prefix.length > 253 || !prefix.split('.').every((part) => LABEL.test(part))))
    return 'must have a DNS name before the "/"';
  if (name === '' || name.length > 63) return 'must have 1 to 63 characters after the "/"';
  if (!/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name))
    return 'must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
  return undefined;
}
