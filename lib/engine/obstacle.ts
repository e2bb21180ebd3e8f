import type { Claim, Line, Need } from './line.ts';
import type { StepReason } from './reasons.ts';

/** What keeps a step that could start from starting, for programs and for people. */
export interface Obstacle {
  readonly reason: Extract<StepReason, 'WaitingForLock' | 'WaitingForResult' | 'NamespaceLimit' | 'ControllerLimit'>;
  readonly message: string;
}

/** @param unknown how many runs may have what is needed, which is not known yet */
export function obstacleOf(claim: Claim, { lock, limit, line: id }: Need, line: Line, unknown: number): Obstacle {
  const runs = `${unknown} ${unknown === 1 ? 'run is' : 'runs are'} taken up again`;
  if (lock === undefined) {
    const { namespace } = claim.seat.run;
    const isNarrow = id !== 'steps';
    const whose = isNarrow ? `in namespace ${namespace}` : 'of the controller';
    const message = unknown > 0 ? `waiting until ${runs}` : `limit of ${limit} running steps ${whose} reached`;
    return { reason: isNarrow ? 'NamespaceLimit' : 'ControllerLimit', message };
  }
  if (lock.scope === 'result') {
    const whose = named([...line.holders.keys(), ...line.before(claim)], claim);
    return {
      reason: 'WaitingForResult',
      message: unknown > 0 ? `waiting until ${runs}` : `its result comes from ${whose}`,
    };
  }
  const name = `${lock.limit === 1 ? 'lock' : 'semaphore'} ${lock.key}`;
  return { reason: 'WaitingForLock', message: unknown > 0 ? `${name}: waiting until ${runs}` : held() };

  function held(): string {
    const { size } = line.holders;
    const holders = named([...line.holders.keys()], claim);
    const least = Math.min(lock!.limit, ...line.holders.values());
    if (size >= least)
      return lock!.limit === 1 ? `${name} held by ${holders}` : `${name}: ${size} of ${least} held by ${holders}`;
    return `${name} goes first to ${named(line.before(claim), claim)}`;
  }
}

const NAMED = 2;

/** `run etl-42 (step load)`; of the own run, the step alone. */
function named(claims: readonly Claim[], { seat }: Claim): string {
  const names = claims
    .slice(0, NAMED)
    .map((claim) => (claim.seat === seat ? `step ${claim.step}` : `run ${claim.seat.run.name} (step ${claim.step})`));
  const more = claims.length > NAMED ? ` and ${claims.length - NAMED} more` : '';
  return `${names.join(', ')}${more}`;
}
