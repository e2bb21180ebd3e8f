import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { OverrideOptions } from '../options.ts';
import type { GivenOverride } from './given-override.ts';

/**
 * Reads the file of `--override`; nothing when nothing is to be changed.
 *
 * @throws UsageError when it cannot be read
 */
export async function readOverride(
  cwd: string,
  { override, set = [] }: OverrideOptions,
): Promise<GivenOverride | undefined> {
  if (override === undefined && set.length === 0) return undefined;
  const { parse } = await import('yaml');
  if (override === undefined) return { sets: set, parse };
  try {
    const content: unknown = parse(await readFile(resolve(cwd, override), 'utf8'));
    return { file: { name: override, content }, sets: set, parse };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'MULTIPLE_DOCS' ? 'it holds several documents; leave one' : message.trimEnd();
    throw new UsageError(`--override ${override} cannot be read: ${why}`, { cause: error });
  }
}
