import { InvalidError, show, suggest } from '../../values/problems.ts';
import { DEFAULT_FLEET, enabledClusters, type Placement } from '../../graph/placement.ts';

/** One directory of manifests and the cluster it is meant for. */
export interface ApplyTarget {
  /** The cluster's name in the fleet; without a fleet, nothing. */
  readonly cluster?: string;
  readonly directory: string;
  /** @default the current one */
  readonly context?: string;
  /** The UID of the cluster's namespace `kube-system`. @default any */
  readonly uid?: string;
  /** For objects that name no namespace. @default the context's */
  readonly namespace?: string;
  /** The name of the inventory of what is applied. @default none is kept, and nothing is ever deleted */
  readonly inventory?: string;
}

/** What {@link applyTargets} decides from. */
export interface TargetChoice {
  /** What the user named: a cluster of the fleet or a directory. */
  readonly argument?: string;
  /** The directory that synth writes to. */
  readonly output: string;
  /** Set when there is a fleet. */
  readonly placement?: Placement;
  readonly context?: string;
  readonly namespace?: string;
  /** The name of the inventory, in place of the fleet's. */
  readonly inventory?: string;
  /** Whether a directory exists. */
  readonly isDirectory: (path: string) => boolean;
}

/**
 * What is to be applied where. Without an argument: every cluster of the fleet, or the whole output without one.
 *
 * @throws InvalidError when the argument is neither a cluster nor a directory, or one context would get several clusters
 */
export function applyTargets(choice: TargetChoice): ApplyTarget[] {
  const { argument, output, placement, context, namespace, inventory, isDirectory } = choice;
  const inFleet = (cluster: string): ApplyTarget => ({
    cluster,
    directory: `${output}/${cluster}`,
    context: context ?? placement?.clusters[cluster]?.context,
    uid: placement?.clusters[cluster]?.uid,
    namespace: namespace ?? placement?.clusters[cluster]?.namespace,
    // Two fleets without a name would delete each other's objects.
    inventory: inventory ?? (placement?.fleet === DEFAULT_FLEET ? undefined : placement?.fleet),
  });
  const names = placement === undefined ? [] : enabledClusters(placement);
  if (argument === undefined) {
    if (placement === undefined) return [{ directory: output, context, namespace, inventory }];
    if (context !== undefined && names.length > 1) {
      const fix = `name one cluster: ${names.join(', ')}`;
      throw invalid({ path: '--context', message: 'is one cluster, and the fleet has several', fix });
    }
    return names.map(inFleet);
  }
  if (names.includes(argument)) return [inFleet(argument)];
  // `apply dist/test` and the shell's completion of it mean the cluster too.
  const named = names.find((name) => `${output}/${name}` === argument.replace(/\/+$/, '').replace(/^\.\//, ''));
  if (named !== undefined) return [inFleet(named)];
  if (isDirectory(argument)) return [{ directory: argument, context, namespace, inventory }];
  if (isDirectory(`${output}/${argument}`)) return [inFleet(argument)];
  if (placement !== undefined && Object.hasOwn(placement.clusters, argument)) {
    const fix = 'enable it in the fleet, or name another';
    throw invalid({ path: '', message: `the cluster ${show(argument)} is disabled`, fix });
  }
  const fix = names.length > 0 ? (suggest(argument, names) ?? `known are ${names.join(', ')}`) : 'run synth first';
  throw invalid({ path: '', message: `${show(argument)} is neither a cluster of the fleet nor a directory`, fix });
}

function invalid(problem: { path: string; message: string; fix: string }): InvalidError {
  return new InvalidError('Nothing to apply', [problem]);
}
