import { loadAll, YAMLException } from 'js-yaml';
import type { Json } from './json.ts';

/** Why a text is not YAML. */
export class YamlError extends Error {
  /** The line where it is not, the first is 1. */
  readonly line: number;
  readonly reason: string;

  constructor(line: number, reason: string, cause: unknown) {
    super(`is not YAML: ${reason}, in line ${line}`, { cause });
    this.line = line;
    this.reason = reason;
  }
}

/**
 * The documents of a text in YAML 1.2, of which JSON is a part; those without content are `null`, or left out. By js-yaml, which takes a
 * sixth of the time of `yaml` to load and to read a large file; that writes what we write.
 *
 * @throws YamlError where it is not YAML
 */
export function readYaml(text: string): readonly Json[] {
  try {
    return loadAll(text) as Json[];
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError((error.mark?.line ?? 0) + 1, error.reason, error);
  }
}
