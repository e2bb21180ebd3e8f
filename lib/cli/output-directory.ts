import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isJsonObject } from '../values/json.ts';
import { InvalidError, show } from '../values/problems.ts';

/** The directory that synth writes to, as a user would write it: `output` of cdk8s.yaml, else `dist`. */
export async function outputDirectory(cwd: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, 'cdk8s.yaml'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'dist';
    throw error;
  }
  const { parse } = await import('yaml');
  const config: unknown = parse(text);
  const output = isJsonObject(config) ? config.output : undefined;
  if (output === undefined || output === null) return 'dist';
  if (typeof output === 'string' && output !== '') return output.replace(/^\.\//, '').replace(/\/+$/, '');
  throw new InvalidError('cdk8s.yaml is not valid', [
    { path: 'output', message: `must be a directory, not ${show(output)}` },
  ]);
}
