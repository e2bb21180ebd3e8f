import type { StepLimits } from '../../lib/engine/lock-table.ts';
import { isHeldUp, stepRecord } from '../../lib/engine/phases.ts';
import type { Instant, Lock, RunRecord, StepRecord } from '../../lib/engine/record.ts';
import { findTask } from '../../lib/graph/items.ts';
import type { Crew, World } from './shared-simulation.ts';

/** A step that runs or waits, as somebody sees it. */
interface Seen {
  readonly world: World;
  readonly step: string;
  readonly record: StepRecord;
}

/** What holds of locks whatever the engine thinks: judged by the pods that exist, and by the records of all runs. */
export class LockJudge {
  readonly #worlds: readonly World[];
  readonly #limits: StepLimits;

  constructor(worlds: readonly World[], limits: StepLimits) {
    this.#worlds = worlds;
    this.#limits = limits;
  }

  /** No key and no limit is exceeded by what runs. To be asked where one controller works at a time. */
  checkPods(): void {
    const users = new Map<string, number[]>();
    for (const world of this.#worlds)
      for (const pod of world.cluster.live().filter((each) => !world.cluster.isApart(each)))
        for (const [key, limit] of this.#needs(world, this.#locksOf(world, pod.step)))
          users.set(key, [...(users.get(key) ?? []), limit]);
    for (const [key, limits] of users)
      if (limits.length > Math.min(...limits))
        throw new Error(`${limits.length} pods have ${key}; ${Math.min(...limits)} may`);
  }

  /** No step waits for locks and limits of which none is taken, or wanted by others before it. */
  checkWaiting(crew: Crew, now: Instant): void {
    // Until all is known again, what is free may not be given.
    if (crew.takesUpAt.size > 0 || this.#worlds.some((world) => world.beginsAt <= now && !crew.shells.has(world)))
      return;
    const taken = this.#taken(crew);
    for (const { world, step, record } of this.waiting(crew).sort((a, b) => compare(crew, a, b))) {
      const room = this.#needs(world, []);
      const locks = this.#needs(world, record.locks).slice(0, -room.length || undefined);
      const isLocked = !locks.every((need) => isFree(taken, need));
      if (!isLocked && room.every((need) => isFree(taken, need)))
        throw new Error(`${step} of ${world.name} waits for what is free`);
      // Its place is kept from those behind it; room only if it lacks nothing else.
      for (const [key, limit] of isLocked ? locks : [...locks, ...room])
        taken.set(key, [...(taken.get(key) ?? []), limit]);
    }
  }

  /** The steps that wait for locks or limits, and whose runs have room. */
  waiting(crew: Crew): Seen[] {
    const roomy = new Set([...crew.shells.keys()].filter((world) => hasRoom(crew, world)));
    return stepsOf(crew).filter(({ world, record }) => roomy.has(world) && isHeldUp(record));
  }

  /** What has started now took no lock from those who waited for it and come first. */
  checkOrder(crew: Crew, world: World, before: readonly Seen[], now: Instant): void {
    const started = stepsOf(crew).filter(
      ({ world: of, record: { reason, attempts } }) =>
        of === world && reason === 'Created' && attempts.at(-1)?.createdAt === now,
    );
    const taken = this.#taken(crew);
    for (const one of started) {
      const keys = new Set((one.record.locks ?? []).map((lock) => keyOf(world, lock)));
      for (const other of before) {
        const record = stepRecord(crew.shells.get(other.world)?.run.record(), other.step);
        if (record === undefined || !isHeldUp(record) || !hasRoom(crew, other.world)) continue;
        const lost = this.#needs(other.world, record.locks).filter((need) => keys.has(need[0]) && !isFree(taken, need));
        if (lost.length > 0 && compare(crew, other, one) < 0)
          throw new Error(`${one.step} of ${world.name} overtakes ${other.step} of ${other.world.name}`);
      }
    }
  }

  /** The limits that those name who have a key, by key. */
  #taken(crew: Crew): Map<string, number[]> {
    const taken = new Map<string, number[]>();
    for (const { world, record } of stepsOf(crew).filter((seen) => isRunning(seen) && kindOf(seen) !== 'run'))
      for (const [key, limit] of this.#needs(world, record.locks)) taken.set(key, [...(taken.get(key) ?? []), limit]);
    return taken;
  }

  #needs(world: World, locks: readonly Lock[] = []): [key: string, limit: number][] {
    const { maxSteps, maxStepsPerNamespace } = this.#limits;
    const least = new Map<string, number>();
    for (const lock of locks) {
      const key = keyOf(world, lock);
      least.set(key, Math.min(lock.limit, least.get(key) ?? Infinity));
    }
    if (maxSteps !== undefined) least.set('a place of the controller', maxSteps);
    if (maxStepsPerNamespace !== undefined) least.set(`a place in ${world.namespace}`, maxStepsPerNamespace);
    return [...least];
  }

  #locksOf({ topology }: World, step: string): Lock[] {
    const { locks = [] } = findTask(topology, step) ?? {};
    return locks.map(({ key, ...lock }) => ({ ...lock, key: String((key as { value: unknown }).value) }));
  }
}

const kindOf = ({ world, step }: Seen) => world.topology.byName.get(step)?.node.kind;

/** Takes room in its run. The map step itself runs nothing. */
const isRunning = (seen: Seen) =>
  seen.record.phase === 'Running' && seen.record.items === undefined && kindOf(seen) !== 'service';

function isFree(taken: ReadonlyMap<string, readonly number[]>, [key, limit]: readonly [string, number]): boolean {
  const limits = taken.get(key) ?? [];
  return limits.length < Math.min(limit, ...limits);
}

function keyOf({ name, namespace }: World, { scope, key }: Lock): string {
  return `${key} of ${scope === 'run' ? `run ${name}` : scope === 'namespace' ? `namespace ${namespace}` : 'the controller'}`;
}

function stepsOf({ shells }: Crew): Seen[] {
  return [...shells].flatMap(([world, shell]) => {
    const { steps, items = new Map() }: RunRecord = shell.run.record();
    const ofItems = [...items].flatMap(([map, records]) =>
      (records as readonly (StepRecord | undefined)[]).flatMap((record, item) =>
        record === undefined ? [] : [{ world, step: `${map}-${item}`, record }],
      ),
    );
    return [...[...steps].map(([step, record]) => ({ world, step, record })), ...ofItems];
  });
}

function hasRoom(crew: Crew, world: World): boolean {
  const { suspended, parallelism } = crew.told.get(world) ?? { suspended: true, parallelism: 0 };
  const live = stepsOf({ ...crew, shells: new Map([[world, crew.shells.get(world)!]]) }).filter(isRunning);
  return suspended !== true && live.length < parallelism;
}

/** Priority, then age, then the age of the run, then its name, then the order of the graph. */
function compare(crew: Crew, a: Seen, b: Seen): number {
  const [x, y] = [a, b].map(({ world }) => ({
    priority: crew.told.get(world)?.priority ?? 0,
    startedAt: crew.shells.get(world)!.run.state.startedAt,
  }));
  return (
    y!.priority - x!.priority ||
    (a.record.readyAt ?? 0) - (b.record.readyAt ?? 0) ||
    x!.startedAt - y!.startedAt ||
    (a.world.name < b.world.name ? -1 : a.world.name > b.world.name ? 1 : 0)
  );
}
