import { mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { findApp } from '../app/app.ts';
import type { RunOptions } from '../commands/run.ts';
import type { CliContext } from '../context.ts';
import { cacheMode, runPolicy } from '../options.ts';
import { ExitError, exitCodes, FailedError, UsageError } from '../errors.ts';
import { localRun, localWarnings, planNamed } from '../local/run.ts';
import { readGivenInputs } from '../given-inputs.ts';
import { localInputs } from '../local/inputs.ts';
import { canAsk, localAnswers } from '../local/answers.ts';
import { GatePrompt } from '../local/gate-prompt.ts';
import { LocalProgress } from '../local/progress.ts';
import { printResult, resultJson } from '../local/result.ts';
import { selectWorkflow } from '../app/select-workflow.ts';
import { loadManifests } from '../app/synthesize.ts';
import { checkOverride, type GivenOverride } from '../pods/given-override.ts';
import { readOverride } from '../pods/read-override.ts';
import type { WorkflowManifests } from '../../graph/bundle.ts';
import type { RunOverride } from '../../pods/run-override.ts';
import type { Answers } from '../../engine/answers.ts';
import type { RunRecord } from '../../engine/record.ts';
import { LocalCache } from '../../local/local-cache.ts';
import { LocalRunner } from '../../local/local-runner.ts';
import { systemProcesses } from '../../local/process-table.ts';
import { RecordFile } from '../../local/record-file.ts';
import { RunDirectory, type LocalRun } from '../../local/run-directory.ts';
import { lockRun, RunLockedError } from '../../local/run-lock.ts';
import { dnsLabelProblem, MAX_RUN_NAME } from '../../values/names.ts';
import { taskSteps } from '../../graph/graph.ts';
import { InvalidError, show, suggest } from '../../values/problems.ts';

/** What the command line names. */
export interface RunArguments {
  readonly app: string | undefined;
  readonly workflow: string | undefined;
}

/** `run`: runs a workflow on this machine, or goes on with a run that was interrupted. */
export async function run(context: CliContext, target: RunArguments, options: RunOptions): Promise<void> {
  if (!options.local && options.resume === undefined)
    throw new UsageError(
      `run works on this machine and wants --local; on a cluster, ${context.program} launch <plan> runs a plan`,
    );
  const root = resolve(context.cwd, '.workflows', 'runs');
  if (options.resume !== undefined) return resume(context, root, target, options);
  const { run: prepared, directory, answers } = await prepare(context, root, target, options);
  await execute(context, prepared, directory, answers, options);
}

async function prepare(context: CliContext, root: string, target: RunArguments, options: RunOptions) {
  const source = await findApp(target.app ?? '.', context);
  const given = await readGivenInputs(context.cwd, options);
  const pods = await readOverride(context.cwd, options);
  const selected = selectWorkflow(await loadManifests(source, context), {
    workflow: target.workflow,
    cluster: options.cluster,
    plan: options.plan,
  });
  const { workflow } = selected;
  const plan = options.plan === undefined ? undefined : planNamed(workflow, options.plan);
  const inputs = localInputs(workflow.workflow, workflow.graph.inputs, given, plan);
  const runOverride = pods && overrideOf(workflow, pods);
  if (selected.differsOn.length > 0)
    context.err.line(
      `Running what cluster ${selected.cluster} gets; it differs on ${selected.differsOn.join(', ')} (--cluster picks one).`,
    );
  const { parallelism } = options;
  const policy = runPolicy(options);
  const workingDirectory = source.directory;
  const settings = { inputs, plan, parallelism, cache: cacheMode(options), policy, workingDirectory, runOverride };
  // All that is wrong is said before a directory is made.
  const answers = localAnswers(workflow.graph, options, canAsk(context.err.isTerminal));
  localRun(selected, { ...settings, name: options.run ?? 'this run' });
  const { directory, name } = newDirectory(root, options.run, plan?.name ?? workflow.workflow);
  const prepared = localRun(selected, { ...settings, name });
  directory.writeRun(prepared);
  return { run: prepared, directory, answers };
}

function overrideOf({ workflow, graph }: WorkflowManifests, given: GivenOverride): RunOverride | undefined {
  const { override, problems } = checkOverride(given, taskSteps(graph));
  if (problems.length > 0) throw new InvalidError(`Cannot run ${workflow}`, problems);
  return override;
}

function newDirectory(root: string, wanted: string | undefined, base: string) {
  if (wanted === undefined) {
    const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    return RunDirectory.create(root, `${base.slice(0, MAX_RUN_NAME - time.length - 4)}-${time}`);
  }
  const problem = dnsLabelProblem(wanted, MAX_RUN_NAME);
  if (problem !== undefined) throw new UsageError(`--run ${show(wanted)} ${problem}`);
  mkdirSync(root, { recursive: true });
  if (RunDirectory.names(root).includes(wanted))
    throw new UsageError(
      `there is a run ${show(wanted)} already; take another name, or --resume ${wanted} to go on with it`,
    );
  return RunDirectory.create(root, wanted);
}

async function resume(context: CliContext, root: string, { app }: RunArguments, options: RunOptions): Promise<void> {
  if (app !== undefined)
    throw new UsageError('--resume goes on with what the run began with; leave out the app and the workflow');
  const given = (
    [
      'input',
      'inputFile',
      'plan',
      'override',
      'set',
      'cluster',
      'run',
      'failurePolicy',
      'retries',
      'artifactRoot',
    ] as const
  ).find((name) => options[name] !== undefined);
  if (given !== undefined)
    throw new UsageError(
      `--resume goes on with what the run began with; leave out --${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
  const name = options.resume === true ? newestUnfinished(root) : options.resume!;
  const directory = new RunDirectory(root, name);
  const saved = RunDirectory.names(root).includes(name) ? directory.readRun() : undefined;
  if (saved === undefined) {
    const hint = suggest(name, RunDirectory.names(root)) ?? `runs are kept in ${root}`;
    throw new UsageError(`there is no run ${show(name)} here; ${hint}`);
  }
  const parallelism = options.parallelism ?? saved.parallelism;
  const cache = cacheMode(options) ?? saved.cache;
  const record = readQuietly(directory);
  const answers = localAnswers(saved.graph, options, canAsk(context.err.isTerminal), record);
  await execute(context, { ...saved, parallelism, cache }, directory, answers, options);
}

function newestUnfinished(root: string): string {
  const unfinished = RunDirectory.names(root)
    .map((name) => ({ name, record: readQuietly(new RunDirectory(root, name)) }))
    .filter(({ record }) => record?.run.phase === 'Running');
  const newest = unfinished.sort((a, b) => a.record!.run.startedAt - b.record!.run.startedAt).at(-1);
  if (newest === undefined) throw new UsageError('there is no interrupted run here');
  return newest.name;
}

function readQuietly(directory: RunDirectory): RunRecord | undefined {
  try {
    return RecordFile.read(directory);
  } catch {
    return undefined;
  }
}

async function execute(
  context: CliContext,
  run: LocalRun,
  directory: RunDirectory,
  answers: Answers,
  options: RunOptions,
): Promise<void> {
  const table = systemProcesses();
  using _lock = lockOrFail(run.name, () => lockRun(directory.path, table));
  const cache = new LocalCache(resolve(context.cwd, '.workflows', 'cache'));
  cache.sweep(Date.now());
  const record = RecordFile.read(directory);
  if (record !== undefined && record.run.phase !== 'Running')
    throw new UsageError(`run ${run.name} has ended: ${record.run.phase} (${record.run.reason}); start a new one`);
  const steps = run.graph.steps.map(({ name }) => name);
  const title = `${run.name}${run.graph.workflow === run.name ? '' : ` (${run.graph.workflow})`}`;
  const progress = new LocalProgress(context, title, steps);
  for (const warning of record === undefined ? localWarnings(run) : [])
    progress.print(`${context.err.colors.yellow('note:')} ${warning}`);
  if (record !== undefined) progress.print(resumedLine(run.name, record, steps.length));
  else if (!context.err.isTerminal)
    progress.print(`Run ${title}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`);
  const prompt = canAsk(context.err.isTerminal)
    ? new GatePrompt({ context, graph: run.graph, progress, onAnswer: (step, answer) => runner.answer(step, answer) })
    : undefined;
  const runner: LocalRunner = new LocalRunner({
    run,
    directory,
    record,
    cache,
    answers,
    table,
    env: context.env,
    onTurn: (engine, decision) => {
      progress.turn(engine, decision);
      prompt?.turn(engine);
    },
    ...(options.logs && { onLine: (step: string, line: string) => progress.log(step, line) }),
  });
  const ended = await untilEnd(runner, progress, title);
  const result = { run, record: RecordFile.read(directory)!, directory };
  if (options.output === 'json') context.out.json(resultJson(result));
  else printResult(context, result);
  if (ended.signal !== undefined) throw new ExitError(128 + constants.signals[ended.signal]);
  if (result.record.run.phase !== 'Succeeded') throw new ExitError(exitCodes.failed);
}

type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The first signal cancels the run, the second kills what still runs. */
async function untilEnd(
  runner: LocalRunner,
  progress: LocalProgress,
  title: string,
): Promise<{ readonly signal?: EndSignal }> {
  let first: EndSignal | undefined;
  const onSignal = (signal: EndSignal) => {
    if (first !== undefined) return runner.kill();
    first = signal;
    progress.retitle(`${title} is being cancelled; Ctrl-C kills it`);
    progress.print('Cancelling the run: its steps are asked to end. Ctrl-C again kills them.');
    runner.cancel('Now');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onExit = () => runner.kill();
  for (const signal of signals) process.on(signal, onSignal);
  process.on('exit', onExit);
  try {
    await runner.execute();
    return { signal: first };
  } finally {
    progress.end();
    for (const signal of signals) process.off(signal, onSignal);
    process.off('exit', onExit);
  }
}

function lockOrFail(name: string, lock: () => Disposable): Disposable {
  try {
    return lock();
  } catch (error) {
    if (!(error instanceof RunLockedError)) throw error;
    throw new FailedError(`run ${name} is in other hands: ${error.message}; wait for it, or end that process first`, {
      cause: error,
    });
  }
}

function resumedLine(name: string, { steps }: RunRecord, total: number): string {
  const done = [...steps.values()].filter(
    ({ finishedAt, phase }) => finishedAt !== undefined || phase === 'Skipped',
  ).length;
  return `Going on with ${name}: ${done} of ${total} steps are done.`;
}
