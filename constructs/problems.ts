import type { Construct } from 'constructs';
import { formatProblem, type Problem } from '../lib/values/problems.ts';

/**
 * Has a construct checked at synth. cdk8s puts the construct's path before each problem and reports those of
 * all constructs together.
 */
export function reportProblems(construct: Construct, problems: () => Iterable<Problem>): void {
  construct.node.addValidation({ validate: () => [...problems()].map(formatProblem) });
}
