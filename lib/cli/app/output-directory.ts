import { readCdk8sConfig } from './cdk8s-config.ts';

/** The directory that synth writes to, as a user would write it: `output` of cdk8s.yaml, else `dist`. */
export async function outputDirectory(cwd: string): Promise<string> {
  const { output = 'dist' } = (await readCdk8sConfig(cwd)) ?? {};
  return output.replace(/^\.\//, '').replace(/(?<=.)\/+$/, '');
}
