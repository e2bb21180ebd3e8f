import type { AttemptState } from '../engine/advance.ts';
import type { Instant } from '../engine/record.ts';
import { itemName } from '../graph/items.ts';
import type { IndexedMapStep } from '../graph/graph.ts';
import type { Topology } from '../graph/topology.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import { AttemptProcess } from './attempt-process.ts';
import { ItemsAttempt } from './items-attempt.ts';
import type { LogFollower } from './log-follower.ts';
import { planStep, type NoPlan, type StepRequest } from './plan-step.ts';
import type { ProcessTable } from './process-table.ts';
import { tellingWhenReady } from './readiness-probe.ts';
import type { LocalRun, RunDirectory } from './run-directory.ts';

/** What the processes of a run are started with. */
export interface ProcessStarterProps {
  readonly run: LocalRun;
  readonly directory: RunDirectory;
  readonly topology: Topology;
  /** The user's environment. */
  readonly env: StepRequest['env'];
  readonly table: ProcessTable;
  readonly now: () => Instant;
  readonly follower: LogFollower | undefined;
}

/** An attempt at a step, and what it is started with. */
export type ProcessRequest = Pick<StepRequest, 'step' | 'attempt' | 'values'>;

/** Makes the attempts of a run's steps that are processes of this machine, with their logs and files. */
export class ProcessStarter {
  readonly #props: ProcessStarterProps;

  constructor(props: ProcessStarterProps) {
    this.#props = props;
  }

  /** An attempt at a task, or why there can be none. */
  task(request: ProcessRequest, onState: (state: AttemptState) => void): AttemptProcess | NoPlan {
    const plan = planStep({ ...this.#props, ...request });
    return 'problem' in plan ? plan : this.#process(plan, { ...request, name: request.step, tried: 1, onState });
  }

  /** An attempt at a service, which tells as well when it is ready; or why there can be none. */
  service(request: ProcessRequest, tell: (state: AttemptState) => void): AttemptProcess | NoPlan {
    const plan = planStep({ ...this.#props, ...request });
    if ('problem' in plan) return plan;
    const onState = tellingWhenReady(plan, this.#props.run.workingDirectory, tell);
    return this.#process(plan, { ...request, name: request.step, tried: 1, onState });
  }

  /** An attempt at a map whose items are processes of one attempt. */
  items(step: IndexedMapStep, request: ProcessRequest, onState: (state: AttemptState) => void): ItemsAttempt {
    const { now } = this.#props;
    return new ItemsAttempt({
      step,
      items: request.values.items!,
      now,
      onState,
      startItem: (item, tried, onEnd) => {
        const plan = planStep({ ...this.#props, ...request, item });
        if ('problem' in plan) return noAttempt(plan, now());
        const onItem = (state: AttemptState): void => {
          if (state.kind === 'succeeded' || state.kind === 'failed') onEnd(state);
        };
        const process = this.#process(plan, { ...request, name: itemName(step.name, item), tried, onState: onItem });
        process.start();
        return process;
      },
    });
  }

  #process(plan: AttemptPlan, { name, attempt, tried, onState }: NamedProcess): AttemptProcess {
    const { run, directory, table, now, follower } = this.#props;
    const logFile = directory.logFile(name, attempt, tried);
    follower?.follow(name, logFile);
    return new AttemptProcess(plan, {
      workingDirectory: run.workingDirectory,
      logFile,
      outputsFile: directory.outputsFile(name, attempt),
      table,
      now,
      onIdentity: (identity) => directory.writeJson(directory.processFile(name, attempt), identity),
      onState: (state) => {
        if (state.kind === 'succeeded' || state.kind === 'failed') follower?.finish(logFile);
        onState(state);
      },
    });
  }
}

interface NamedProcess {
  readonly name: string;
  readonly attempt: number;
  /** Of an item that is tried again within one attempt. */
  readonly tried: number;
  readonly onState: (state: AttemptState) => void;
}

/** The end of an attempt that cannot be started here; no other one could. */
export function noAttempt({ reason, problem: message }: Refusal, finishedAt: Instant) {
  return { kind: 'failed', finishedAt, failure: 'permanent', reason, message } as const;
}

interface Refusal {
  readonly reason: NoPlan['reason'] | 'RecursionLimit';
  readonly problem: string;
}
