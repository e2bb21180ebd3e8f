import type { Construct } from 'constructs';
import { formatProblem, type Problem } from '../lib/values/problems.ts';

/** A fleet defines its app once for each cluster: what is said of a construct there is said once. */
const told = new Set<string>();

/** Tells at synth, on stderr, what is likely a mistake and no error. Beside the problems of the app, which are asked for at the same time. */
export function warnAtSynth(construct: Construct, warnings: () => Iterable<Problem>): void {
  construct.node.addValidation({
    validate: () => {
      for (const warning of warnings()) {
        const line = `warning: [${construct.node.path}] ${formatProblem(warning)}`;
        if (!told.has(line)) console.warn(line);
        told.add(line);
      }
      return [];
    },
  });
}
