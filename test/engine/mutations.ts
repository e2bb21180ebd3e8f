import { lockMutations } from './lock-mutations.ts';

/** A mistake that the simulation must notice. `find` stands in the file once. */
export interface Mutation {
  readonly name: string;
  /** Below `lib/engine/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Of the trials with several runs. */
  readonly shared?: true;
}

/** Ways to break the engine. */
export const mutations: readonly Mutation[] = [
  {
    name: 'steps do not wait for their upstreams',
    file: 'prerequisites.ts',
    find: 'if (this.#openUpstreams[index] !== 0) return false;',
    replace: '',
  },
  {
    name: 'steps for the end of a run start early',
    file: 'prerequisites.ts',
    find: "if (stage !== 'main' && this.#open.main > 0) return false;",
    replace: '',
  },
  {
    name: 'finally does not wait for onFailure',
    file: 'prerequisites.ts',
    find: "if (stage === 'finally' && this.#open.onFailure > 0) return false;",
    replace: '',
  },
  {
    name: 'a handled failure fails the run',
    file: 'ledger.ts',
    find: 'node.continueOnFailure !== true && this.#openDependents[index] === 0',
    replace: 'node.continueOnFailure !== true',
  },
  {
    name: 'continueOnFailure is ignored when the run ends',
    file: 'ledger.ts',
    find: 'node.continueOnFailure !== true && this',
    replace: 'this',
  },
  {
    name: 'a failure is not counted when its handler is skipped',
    file: 'ledger.ts',
    find: 'if (this.#openDependents[upstream] === 0 && this.isFailure(upstream)) this.failures += 1;',
    replace: '',
  },
  {
    name: 'a failed upstream is as good as one that succeeded',
    file: 'edges.ts',
    find: "return continueOnFailure ? withoutValues : 'UpstreamFailed';",
    replace: 'return withoutValues;',
  },
  {
    name: 'whoever is skipped skips what comes after',
    file: 'edges.ts',
    find: "return upstream.reason === 'WhenFalse' || upstream.reason === 'SkippedByHand' ? withoutValues : 'UpstreamSkipped';",
    replace: "return 'UpstreamSkipped';",
  },
  {
    name: 'of several verdicts the first one counts',
    file: 'edges.ts',
    find: "if (precedence.indexOf(verdict) > precedence.indexOf(worst?.verdict ?? 'Satisfied'))",
    replace: "if (verdict !== 'Satisfied' && worst === undefined)",
  },
  {
    name: 'conditions with any are decided as all',
    file: 'ends-watch.ts',
    find: "else if (value === (part.kind === 'any')) this.#decide(part, value);",
    replace: "else if (value === false && part.kind === 'all') this.#decide(part, value);",
  },
  {
    name: 'a condition on ends that does not hold is ignored',
    file: 'decide.ts',
    find: 'if (!ledger.holds(index)) return { ...afterFalse(turn, step), ...end };',
    replace: '',
  },
  {
    name: 'conditions on values are ignored',
    file: 'decide.ts',
    find: 'if (!result.holds) return { ...whenFalse(when), ...end };',
    replace: '',
  },
  {
    name: 'onFailure runs without a failure',
    file: 'decide.ts',
    find: "if (step.node.role === 'onFailure' && !hasFailed(turn)) return { ...noFailure, ...end };",
    replace: '',
  },
  {
    name: 'parallelism is one too many',
    file: 'starts.ts',
    find: 'ledger.running < spec.parallelism',
    replace: 'ledger.running <= spec.parallelism',
  },
  {
    name: 'concurrency of a map is ignored',
    file: 'map-step.ts',
    find: 'phases.Waiting + phases.Running < concurrency',
    replace: 'true',
  },
  {
    name: 'a map is over before its items are',
    file: 'map-step.ts',
    find: 'if (itemsDone(items) === items.count)',
    replace: 'if (itemsDone(items) + 1 >= items.count)',
  },
  {
    name: 'a map may lose one item more',
    file: 'map-step.ts',
    find: 'return phases.Failed > count - requiredSuccesses(',
    replace: 'return phases.Failed > 1 + count - requiredSuccesses(',
  },
  {
    name: 'a group succeeds although one of its steps failed',
    file: 'group-step.ts',
    find: 'if (failed.length > 0) {',
    replace: 'if (failed.length > 9) {',
  },
  {
    name: 'a group counts itself among those that handle the failures of its steps',
    file: 'ledger.ts',
    find: ' - (contains ? 1 : 0)',
    replace: '',
  },
  {
    name: 'what a group does not give is not missed',
    file: 'scope.ts',
    find: '(standsForSteps && !Object.hasOwn(outputs, output))',
    replace: 'false',
  },
  {
    name: 'a group that never began has succeeded',
    file: 'group-step.ts',
    find: "begin !== undefined && begin.phase !== 'Succeeded'",
    replace: 'begin === null',
  },
  {
    name: 'a block of items is kept without its last one',
    file: 'item-codec.ts',
    find: 'items: block.map(',
    replace: 'items: block.slice(0, -1).map(',
  },
  {
    name: 'commands are not repeated by a new shell',
    file: 'run.ts',
    find: 'if (this.#repeatCommands) this.#repeat(turn);',
    replace: '',
  },
  {
    name: 'a cancelled run goes on',
    file: 'ending.ts',
    find: 'let next = cancel(turn, state);',
    replace: 'let next = state;',
  },
  {
    name: 'the time of a run is not watched',
    file: 'ending.ts',
    find: 'next = timeOut(turn, next);',
    replace: '',
  },
  {
    name: 'a run that fails starts what waits all the same',
    file: 'ending.ts',
    find: "ledger.failures === 0 || policy === 'RunIndependent'",
    replace: "policy !== 'CancelRunning'",
  },
  {
    name: 'what runs is not told that its run is cancelled',
    file: 'ending.ts',
    find: "if (asked !== 'Drain') stopLive(turn, 'CancelRequested', those);",
    replace: '',
  },
  {
    name: 'a run is Failed although it was cancelled',
    file: 'run-end.ts',
    find: "phase: 'Cancelled', message",
    replace: "phase: 'Failed', message",
  },
  {
    name: 'a run succeeds although a step failed',
    file: 'run-end.ts',
    find: 'if (ledger.failures > 0)',
    replace: 'if (ledger.failures > 1)',
  },
  {
    name: 'permanent failures are tried again',
    file: 'retries.ts',
    find: "last?.failure === 'user' ? node.retries : undefined",
    replace: 'node.retries',
  },
  {
    name: "the platform's failures are charged to the task",
    file: 'retries.ts',
    find: "last?.failure === 'system' ? systemBudget(node)",
    replace: "last?.failure === 'system' ? node.retries",
  },
  {
    name: 'one retry too many',
    file: 'retries.ts',
    find: 'if (number > budget.limit) return {};',
    replace: 'if (number > budget.limit + 1) return {};',
  },
  {
    name: 'rules of what is tried again are ignored',
    file: 'retries.ts',
    find: '!(unless?.some(fits) ?? false)',
    replace: 'true',
  },
  {
    name: 'an attempt before the last one is forgotten',
    file: 'phases.ts',
    find: 'return [...record.attempts.slice(0, -1), attempt];',
    replace: 'return [...record.attempts.slice(1, -1), attempt];',
  },
  {
    name: 'an attempt too slow is not stopped',
    file: 'task-step.ts',
    find: 'if (attempt.stopping === undefined)\n    turn.commands.push(',
    replace: 'if (attempt.stopping === undefined && !isTimeout(reason))\n    turn.commands.push(',
  },
  {
    name: 'what is seen of any attempt is taken for the live one',
    file: 'strays.ts',
    find: 'if (live?.number === attempt) return false;',
    replace: 'if (live !== undefined) return false;',
  },
  {
    name: 'what is seen of an attempt before its step is ready is forgotten',
    file: 'strays.ts',
    find: 'this.#keep(index, attempt, state);',
    replace: '',
  },
  {
    name: 'an attempt that lives although its step or itself has ended is left alone',
    file: 'strays.ts',
    find: "} else if (isLive(state)) this.#end(turn, index, attempt, isFinal(record.phase) ? record.reason : 'Superseded');",
    replace: '}',
  },
  {
    name: 'a run or a map as one Job that was begun and not written down is taken for a stray',
    file: 'retries.ts',
    find: 'return 1 + (retries?.limit ?? 0)',
    replace: "return node.kind === 'run' || node.kind === 'indexedMap' ? 0 : 1 + (retries?.limit ?? 0)",
  },
  {
    name: 'an attempt goes on beside the one that was begun after it',
    file: 'strays.ts',
    find: "this.#end(turn, index, live.number, 'Superseded');",
    replace: '{}',
  },
  {
    name: 'a step ends before it was ready when the clock jumps',
    file: 'phases.ts',
    find: 'Math.max(finishedAt, record.readyAt ?? finishedAt)',
    replace: 'finishedAt',
  },
  {
    name: 'an attempt ends before it began by the clock of its node',
    file: 'task-step.ts',
    find: 'finishedAt: Math.max(from, Math.min(Math.trunc(state.finishedAt), turn.now))',
    replace: 'finishedAt: state.finishedAt',
  },
  {
    name: 'outputs that do not fit are taken',
    file: 'outputs.ts',
    find: 'if (checked.ok) return { outputs: checked.values };',
    replace: 'return { outputs: values };',
  },
  {
    name: 'the time of a retry is not kept',
    file: 'codec-fields.ts',
    find: '  retryAt: time,\n',
    replace: '',
  },
  {
    name: 'why an attempt was stopped is not kept',
    file: 'codec-fields.ts',
    find: '  stopping: reason,\n',
    replace: '',
  },
  {
    name: 'a finished run is written again',
    file: 'run.ts',
    find: '!this.finished && this.#go(turn)',
    replace: 'this.#go(turn)',
  },
  {
    name: 'a kept result is taken however old it is',
    file: 'cache.ts',
    find: 'if (cache === undefined || now - result.at >= (cache.ttlSeconds ?? Infinity) * 1000)',
    replace: 'if (cache === undefined)',
  },
  {
    name: 'a kept result is taken that does not fit',
    file: 'cache.ts',
    find: 'return checked.ok ? { ...source, outputs: checked.values } : undefined;',
    replace: 'return result;',
  },
  {
    name: 'what fails is kept',
    file: 'task-step.ts',
    find: "if ('reason' in read) return failed(",
    replace:
      "if ('reason' in read) keepResult(turn, index, { rows: -1 }, over.finishedAt);\n  if ('reason' in read) return failed(",
  },
  {
    name: 'a new shell does not ask again for kept results',
    file: 'task-step.ts',
    find: "if (record.reason === 'CheckingCache') return lookUp(turn, index);",
    replace: '',
  },
  {
    name: 'a step that runs already ends with a kept result',
    file: 'cache.ts',
    find: "ledger.of(index).reason !== 'CheckingCache'",
    replace: "ledger.of(index).phase === 'Succeeded'",
  },
  {
    name: 'what follows from a kept result is done before that is written',
    file: 'cache.ts',
    find: 'hit = takeAnswer(turn, answer, run) || hit;',
    replace: 'takeAnswer(turn, answer, run);',
  },
  {
    name: 'a step that has its room and asks for a result is none',
    file: 'step-codec.ts',
    find: "reason !== 'CheckingCache' && ",
    replace: '',
  },
  {
    name: 'a step that may run asks for a result again and again',
    file: 'task-step.ts',
    find: "if (attempt === 1 && record.phase === 'Waiting' && record",
    replace: 'if (attempt === 1 && record',
  },
  {
    name: 'steps do not wait until a service is ready',
    file: 'ledger.ts',
    find: ' && !this.services.lacks(index);',
    replace: ';',
  },
  {
    name: 'a step starts although a service that it needs is down',
    file: 'starts.ts',
    find: 'if (!ledger.isServed(index)) {',
    replace: 'if (ledger.isServed(-1)) {',
  },
  {
    name: 'nobody hears that a service has come up again',
    file: 'starts.ts',
    find: 'if (!ledger.services.takeNews()) return;',
    replace: 'return;',
  },
  {
    name: 'a service is never stopped',
    file: 'service-step.ts',
    find: "stop(turn, index, 'ServiceStopped');",
    replace: '{}',
  },
  {
    name: 'a service is stopped while steps run that need it',
    file: 'services.ts',
    find: '(ending ? this.#running : this.#open)[service] !== 0',
    replace: '(ending ? this.#running : this.#open)[service]! > 1',
  },
  {
    name: 'a service takes room',
    file: 'ledger.ts',
    find: 'return this.live.size - this.services.live.size;',
    replace: 'return this.live.size;',
  },
  {
    name: 'a service that ends by itself has succeeded',
    file: 'service-step.ts',
    find: "state.kind === 'failed' ? sighting : { ...sighting, state: endedByItself(state) }",
    replace: 'sighting',
  },
  ...lockMutations,
];
