import { formatDuration } from '../../terminal/duration.ts';
import type { Colors } from '../../terminal/output.ts';
import type { LostCluster } from './fleet-watch.ts';

/** A line for each cluster that is not heard, below what is shown of the others. */
export function lostLines(lost: readonly LostCluster[], colors: Colors, now: number): string[] {
  return lost.map(({ cluster, problem, since }) => {
    const old = formatDuration(now - since);
    return `${colors.yellow(`! ${cluster} is not heard`)} for ${old}, and is tried again: ${firstSentence(problem)}`;
  });
}

/** The advice in an error's message is for a command that ends with it. */
function firstSentence(text: string): string {
  return text.replace(/\. [A-Z].*$/s, '');
}
