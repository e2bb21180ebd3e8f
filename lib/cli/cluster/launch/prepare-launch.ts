import type { LaunchOptions } from '../../commands/launch.ts';
import type { CliContext } from '../../context.ts';
import { readGivenInputs } from '../../given-inputs.ts';
import { checkOverride } from '../../pods/given-override.ts';
import { readOverride } from '../../pods/read-override.ts';
import type { GivenLaunch } from '../../../runs/prepare-run.ts';
import { nameProblems } from '../../../runs/launch-settings.ts';
import { launchSettings, optionOf } from './launch-settings.ts';

/**
 * Reads what the options say, before any cluster is asked.
 *
 * @throws UsageError or InvalidError for files and options that cannot be read
 */
export async function readLaunch(context: CliContext, options: LaunchOptions): Promise<GivenLaunch> {
  const [inputs, pods] = await Promise.all([readGivenInputs(context.cwd, options), readOverride(context.cwd, options)]);
  const { settings, problems } = launchSettings(options);
  const names = [...nameProblems(options)].map((problem) => ({ ...problem, path: optionOf(problem.path) }));
  return {
    inputs,
    ...(pods && { pods: (steps) => checkOverride(pods, steps) }),
    settings,
    problems: [...names, ...problems],
    at: optionOf,
    cluster: options.cluster,
  };
}
