import type { PlannedAction, PlannedObject } from '../../../fleet/apply/apply-plan.ts';
import type { ApplyFailure } from '../../../fleet/apply/apply-result.ts';
import { isDone } from '../../../fleet/apply/apply-stages.ts';
import { firstOf } from '../../../values/first-of.ts';
import type { Colors } from '../../terminal/output.ts';
import type { ApplySession } from './apply-session.ts';

/** Names that are listed for a cluster; the others are counted. */
const LISTED = 30;

const signs: Readonly<Partial<Record<PlannedAction, string>>> = { create: '+', change: '~', delete: '-', refuse: '!' };

/** What would be done to each cluster: a line with counts, and a line for each object that would be written or deleted. */
export function planText(sessions: readonly ApplySession[], colors: Colors): string {
  return sessions.map((session) => clusterText(session, colors)).join('');
}

function clusterText(session: ApplySession, colors: Colors): string {
  const { plan, title } = session;
  const where = `context ${session.context}, namespace ${session.namespace}`;
  const paint = paints(colors);
  const lines = plan.objects
    .filter(({ action }) => signs[action] !== undefined)
    .map((planned) => paint[planned.action]!(`  ${lineOf(planned)}\n`));
  const listed = lines.slice(0, LISTED).join('');
  const more = lines.length > LISTED ? colors.dim(`  … and ${lines.length - LISTED} more\n`) : '';
  const failure = plan.failure === undefined ? '' : colors.red(`  ! ${inWords(plan.failure)}\n`);
  if (plan.objects.length === 0 && plan.failure !== undefined) return `${colors.bold(title)}:\n${failure}`;
  const what = counts(plan.objects) || (isDone(plan) ? 'nothing to apply' : 'the inventory is brought up to date');
  return `${colors.bold(title)} (${where}): ${what}\n${listed}${more}${failure}`;
}

/** A line a cluster with the plans that are left as somebody switched them, though their manifests say otherwise. */
export function switchedLines(sessions: readonly ApplySession[], colors: Colors): readonly string[] {
  return sessions.flatMap(({ plan, target }) => {
    const switched = plan.objects.filter(({ staysSwitched }) => staysSwitched);
    const names = switched.map(({ object }) => object.metadata.name);
    if (names.length === 0) return [];
    const where = target.cluster ?? target.directory;
    return `${colors.yellow('note:')} ${where}: left as switched by hand: ${firstOf(names, 5)}; --force-conflicts takes it back`;
  });
}

/** A line a cluster with the plans that are held at the version they have. */
export function heldLines(sessions: readonly ApplySession[], colors: Colors, program: string): readonly string[] {
  return sessions.flatMap(({ plan, target }) => {
    const names = plan.objects.filter(({ held }) => held).map(({ object }) => object.metadata.name);
    if (names.length === 0) return [];
    const where = target.cluster ?? target.directory;
    const what = `held at the version they have: ${firstOf(names, 5)}`;
    return `${colors.yellow('note:')} ${where}: ${what}; ${program} promote lets them go on`;
  });
}

function paints(colors: Colors): Readonly<Partial<Record<PlannedAction, (text: string) => string>>> {
  return { create: colors.green, change: colors.yellow, delete: colors.red, refuse: colors.red };
}

function lineOf({ action, object, adopts, reason }: PlannedObject): string {
  const note = reason !== undefined ? `: ${inWords(reason)}` : adopts ? ' (taken over from kubectl apply)' : '';
  const { namespace, name } = object.metadata;
  return `${signs[action]} ${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${note}`;
}

const words: readonly (readonly [PlannedAction, string])[] = [
  ['create', 'to create'],
  ['change', 'to change'],
  ['unchanged', 'unchanged'],
  ['delete', 'to delete'],
  ['keep', 'kept'],
  ['refuse', 'refused'],
];

function counts(objects: readonly PlannedObject[]): string {
  return words
    .map(([action, word]) => [objects.filter((planned) => planned.action === action).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ');
}

function inWords({ message, fix }: ApplyFailure): string {
  return fix === undefined ? message : `${message}; ${fix}`;
}
