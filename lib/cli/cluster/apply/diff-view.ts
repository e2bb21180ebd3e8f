import type { ApplyFailure } from '../../../fleet/apply/apply-result.ts';
import type { ObjectDiff } from '../../../fleet/apply/diff-cluster.ts';
import type { FieldDifference } from '../../../fleet/apply/object-diff.ts';
import type { Json } from '../../../values/json.ts';
import type { Colors } from '../../terminal/output.ts';

/** A target and what an apply would change there, for people and for `-o json`. */
export interface DiffedTarget {
  readonly cluster?: string;
  readonly context: string;
  readonly directory: string;
  readonly objects: readonly ObjectDiff[];
  /** Why the cluster could not be asked. */
  readonly failure?: ApplyFailure;
}

/** 0: nothing would change. 1: something would. 2: something could not be applied, or a cluster could not be asked. */
export function diffExitCode(targets: readonly DiffedTarget[]): 0 | 1 | 2 {
  const objects = targets.flatMap((target) => target.objects);
  if (targets.some(({ failure }) => failure) || objects.some(({ action }) => action === 'refuse')) return 2;
  return objects.some(({ action }) => action !== 'keep') ? 1 : 0;
}

/** Each object that would change, with its fields below it, cluster by cluster. */
export function diffText(targets: readonly DiffedTarget[], colors: Colors): string {
  return targets.map((target) => targetText(target, colors)).join('\n');
}

function targetText({ cluster, directory, context, objects, failure }: DiffedTarget, colors: Colors): string {
  const title = `${colors.bold(cluster ?? directory)} (context ${context})`;
  if (failure !== undefined) return `${colors.bold(cluster ?? directory)}: ${colors.red(inWords(failure))}\n`;
  if (objects.length === 0) return `${title}: no differences\n`;
  return `${title}\n${objects.map((object) => objectText(object, colors)).join('')}`;
}

function objectText({ action, kind, namespace, name, changes, reason }: ObjectDiff, colors: Colors): string {
  const title = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const note = reason === undefined ? '' : `: ${inWords(reason)}`;
  const lines = changes.map((change) => changeLines(change, colors)).join('');
  switch (action) {
    case 'create':
      return `${colors.green(`+ ${title}`)}\n${lines}`;
    case 'delete':
      return `${colors.red(`- ${title}`)}\n`;
    case 'refuse':
      return `${colors.red(`! ${title}${note}`)}\n`;
    case 'keep':
      return `${colors.dim(`  ${title}${note}`)}\n`;
    default:
      return `${colors.yellow(`~ ${title}`)}\n${lines}`;
  }
}

function changeLines({ path, before, after }: FieldDifference, colors: Colors): string {
  const removed = before === undefined ? '' : `${colors.red(`    - ${path}: ${valueText(before)}`)}\n`;
  const added = after === undefined ? '' : `${colors.green(`    + ${path}: ${valueText(after)}`)}\n`;
  return removed + added;
}

/** A graph is a page of JSON on one line: its beginning is enough to see that it is another. */
function valueText(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function inWords({ message, fix }: ApplyFailure): string {
  return fix === undefined ? message : `${message}; ${fix}`;
}
