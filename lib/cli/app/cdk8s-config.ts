import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { InvalidError, show, type Problem } from '../../values/problems.ts';

/** What is used of a cdk8s.yaml. */
export interface Cdk8sConfig {
  readonly app?: string;
  readonly output?: string;
  /** Whether there are any. */
  readonly validations?: boolean;
}

/**
 * The cdk8s.yaml of a directory; nothing when it has none.
 *
 * @throws InvalidError when it cannot be used
 */
export async function readCdk8sConfig(directory: string): Promise<Cdk8sConfig | undefined> {
  const file = join(directory, 'cdk8s.yaml');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const config = await readMap(text, file);
  const problems: Problem[] = [];
  for (const field of ['app', 'output']) {
    const value = config[field];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      problems.push({ path: field, message: `must be text, not ${show(value)}` });
  }
  if (isJsonObject(config.synthConfig) && config.synthConfig.format === 'helm')
    problems.push({
      path: 'synthConfig.format',
      message: 'is "helm", which only cdk8s itself writes',
      fix: 'use npx cdk8s synth',
    });
  if (problems.length > 0) throw new InvalidError(file, problems);
  const validations =
    typeof config.validations === 'string' || (Array.isArray(config.validations) && config.validations.length > 0);
  return { ...(config as { app?: string; output?: string }), validations };
}

async function readMap(text: string, file: string): Promise<JsonObject> {
  const { readYaml, YamlError } = await import('../../values/yaml.ts');
  const invalid = (message: string, cause?: unknown) => new InvalidError(file, [{ path: '', message }], { cause });
  try {
    const config = readYaml(text)[0] ?? {};
    if (isJsonObject(config)) return config;
    throw invalid(`must be a map, not ${show(config)}`);
  } catch (error) {
    throw error instanceof YamlError ? invalid(error.message, error) : error;
  }
}
