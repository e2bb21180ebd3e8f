import type { LaunchSettings } from '../../../runs/launch-settings.ts';
import type { Problem } from '../../../values/problems.ts';
import { cacheMode, runPolicy, type CacheOptions } from '../../options.ts';
import type { SettingsOptions } from '../../settings-options.ts';

/** The option that says a setting, where it is not called like it. */
const FLAGS: Readonly<Record<string, string>> = {
  timeoutSeconds: '--run-timeout',
  ttlSecondsAfterFinished: '--ttl-after-finished',
  cache: '--no-cache',
};

/** How a message names a setting: `labels.team` is `--labels team`. */
export function optionOf(path: string): string {
  const [, field, key] = /^([^.[]+)\.?(.*)$/s.exec(path)!;
  const flag = FLAGS[field!] ?? `--${field!.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return key === '' ? flag : `${flag} ${key}`;
}

/** What the options say of how runs go, and what of them cannot be read. */
export function launchSettings(options: SettingsOptions & CacheOptions): {
  readonly settings: LaunchSettings;
  readonly problems: readonly Problem[];
} {
  const { priority, parallelism, runTimeout, ttlAfterFinished, serviceAccount } = options;
  const env = pairs('--env', options.env, { removes: true });
  // As `kubectl run` takes them: no value of a label has a comma.
  const labels = pairs(
    '--labels',
    options.labels?.flatMap((list) => list.split(',')),
  );
  const annotations = pairs('--annotations', options.annotations);
  const cache = cacheMode(options);
  return {
    settings: {
      ...runPolicy(options),
      ...(priority !== undefined && { priority }),
      ...(parallelism !== undefined && { parallelism }),
      ...(cache && { cache }),
      ...(runTimeout !== undefined && { timeoutSeconds: runTimeout }),
      ...(ttlAfterFinished !== undefined && { ttlSecondsAfterFinished: ttlAfterFinished }),
      ...(serviceAccount !== undefined && { serviceAccount }),
      ...(options.env && { env: env.values }),
      ...(options.labels && { labels: labels.values as Record<string, string> }),
      ...(options.annotations && { annotations: annotations.values as Record<string, string> }),
    },
    problems: [...env.problems, ...labels.problems, ...annotations.problems],
  };
}

/** Reads `key=value`; with `removes` also `key-`, as `kubectl set env` does. A value may hold any further `=`. */
function pairs(flag: string, written: readonly string[] = [], { removes = false } = {}) {
  const values: Record<string, string | null> = {};
  const problems: Problem[] = [];
  for (const text of written) {
    const at = text.indexOf('=');
    const removed = removes && at < 0 && text.length > 1 && text.endsWith('-');
    const key = removed ? text.slice(0, -1) : text.slice(0, Math.max(at, 0));
    if (key === '') problems.push({ path: `${flag} ${text}`, message: 'has no value', fix: `write ${flag} key=value` });
    else if (Object.hasOwn(values, key))
      problems.push({ path: `${flag} ${key}`, message: 'is given twice', fix: 'give it once' });
    else values[key] = removed ? null : text.slice(at + 1);
  }
  return { values, problems };
}
