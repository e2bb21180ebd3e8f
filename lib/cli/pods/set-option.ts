import type { Problem } from '../../values/problems.ts';

/** `--set train.spec.containers[main].resources.limits.memory=64Gi`, taken apart. */
export interface SetOption {
  /** A step, or `*` for every step. */
  readonly step: string;
  readonly path: readonly PathStep[];
  /** What comes after the `=`. */
  readonly text: string;
  /** All before the `=`, as it was written. */
  readonly written: string;
}

/** One step of a path: `.name`, or `[name]`, which may have dots and slashes. */
export interface PathStep {
  readonly name: string;
  readonly bracketed: boolean;
}

const OPTION = /^([^.[\]=]+)((?:\.[^.[\]=]+|\[[^\]]+\])+)=([^]*)$/;
const STEP = /\.([^.[\]=]+)|\[([^\]]+)\]/g;

/** Takes the options apart, and says which of them cannot be or say the same place twice. */
export function parseSetOptions(options: readonly string[]): {
  readonly sets: readonly SetOption[];
  readonly problems: readonly Problem[];
} {
  const sets: SetOption[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const option of options) {
    const [, step, path, text] = OPTION.exec(option) ?? [];
    if (step === undefined || path === undefined || text === undefined) {
      const message = option.includes('=') ? 'names no step and field' : 'has no value';
      problems.push({ path: `--set ${option}`, message, fix: 'write --set <step>.<field>[<item>].<field>=<value>' });
      continue;
    }
    const steps = [...path.matchAll(STEP)].map(([, plain, bracketed]) => ({
      name: (plain ?? bracketed)!,
      bracketed: bracketed !== undefined,
    }));
    const place = JSON.stringify([step, ...steps.map(({ name }) => name)]);
    const written = `${step}${path}`;
    if (seen.has(place)) problems.push({ path: `--set ${written}`, message: 'is given twice', fix: 'give it once' });
    else sets.push({ step, path: steps, text, written });
    seen.add(place);
  }
  return { sets, problems };
}
