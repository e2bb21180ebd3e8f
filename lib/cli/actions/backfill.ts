import { BackfillProgress } from '../cluster/backfill/backfill-progress.ts';
import {
  backfillDocument,
  backfillList,
  backfillTable,
  type BackfilledRun,
} from '../cluster/backfill/backfill-view.ts';
import { BackfillWatch } from '../cluster/backfill/backfill-watch.ts';
import { clusterFlags, findPlan, withCluster } from '../cluster/cluster-session.ts';
import { RUN_SELECTOR } from '../../runs/run-kinds.ts';
import { controllerWarning } from '../cluster/controller-seen.ts';
import { groupPlans } from '../cluster/plans/list-plans.ts';
import { makeBackfill, wanted, type Backfill } from '../cluster/backfill/make-backfill.ts';
import { prepareBackfill, runsByName } from '../cluster/backfill/prepare-backfill.ts';
import { readLaunch } from '../cluster/launch/prepare-launch.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { isOver } from '../../runs/run-summary.ts';
import type { BackfillOptions } from '../commands/backfill.ts';
import type { CliContext } from '../context.ts';
import { ExitError, exitCodes, FailedError, UsageError } from '../errors.ts';
import { confirm } from '../terminal/confirm.ts';
import { formatDuration } from '../terminal/duration.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { inParallel } from '../../fleet/in-parallel.ts';
import { kickoffNames } from '../../graph/kickoff.ts';
import { labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { jobs } from '../../kube/resources.ts';
import { InvalidError } from '../../values/problems.ts';
import { sharedProblems, type NamedProblem } from '../../values/shared-problems.ts';
import { problemsOf } from './launch.ts';

const REQUESTS_AT_ONCE = 8;

/** More runs than these are made only when somebody has said yes. */
const UNASKED = 100;

/** `backfill`: makes the runs of a plan, or of every plan of a group, for times that have passed. */
export async function backfill(context: CliContext, name: string | undefined, options: BackfillOptions): Promise<void> {
  const { group } = options;
  if ((name === undefined) === (group === undefined)) throw new UsageError('name a launch plan, or give --group');
  const absent = (['from', 'to'] as const).filter((option) => options[option] === undefined);
  if (absent.length > 0) throw new UsageError(`give ${absent.map((option) => `--${option}`).join(' and ')}`);
  await withCluster(options, async (client) => {
    const plans = group === undefined ? [await findPlan(client, name!)] : await groupPlans(client, group);
    const selector = `${RUN_SELECTOR},${group === undefined ? `${labels.plan}=${plans[0]!.metadata.name}` : `${labels.group}=${group}`}`;
    const backfills = await prepareAll(context, client, plans, selector, options);
    if (options.dryRun) return show(context, client, backfills, options);
    const missing = backfills.reduce((sum, each) => sum + wanted(each).length, 0);
    const what = `Make ${missing} runs of ${group === undefined ? backfills[0]!.plan.metadata.name : `${plans.length} plans`}?`;
    if (missing > UNASKED && !options.yes && !(await confirm(context, what, '--yes')))
      throw new ExitError(exitCodes.failed);
    await new Session(context, client, backfills, selector, options).run();
  });
}

/** Checks the backfills of all plans before any run is made. */
async function prepareAll(
  context: CliContext,
  client: KubeClient,
  plans: readonly PlanCronJob[],
  selector: string,
  options: BackfillOptions,
): Promise<readonly Backfill[]> {
  const { from, to, concurrency, order, rerunFailed = false } = options;
  const [given, known] = await Promise.all([readLaunch(context, options), runsByName(client, selector)]);
  const problems: NamedProblem[] = [];
  const graphs = new Map();
  const prepared = await inParallel(plans, REQUESTS_AT_ONCE, async (plan) => {
    const result = await prepareBackfill(client, plan, {
      request: { from: from!, to: to!, concurrency, order, rerunFailed },
      given,
      known,
      graphs,
      now: Date.now(),
      problemsOf: (error) => problemsOf(error, plan).map(({ problem }) => problem),
    });
    if ('runs' in result && !result.held && options.wait === false && wanted(result).length > concurrency)
      problems.push({
        name: plan.metadata.name,
        problem: {
          path: '--no-wait',
          message: 'would leave runs that nobody starts: no controller sequences those of this plan',
          fix: `leave it out, or give --concurrency ${wanted(result).length}`,
        },
      });
    if ('runs' in result) return result;
    problems.push(...result.map((problem) => ({ name: plan.metadata.name, problem })));
    return undefined;
  });
  if (problems.length === 0) return prepared as readonly Backfill[];
  const { group } = options;
  if (group !== undefined)
    throw new InvalidError(`Nothing of group ${group} was started`, [...sharedProblems(problems, plans.length)]);
  throw new InvalidError(
    `Cannot backfill ${plans[0]!.metadata.name}`,
    problems.map(({ problem }) => problem),
  );
}

async function show(
  { out }: CliContext,
  client: KubeClient,
  backfills: readonly Backfill[],
  { output }: BackfillOptions,
): Promise<void> {
  for (const each of backfills) {
    const [first] = wanted(each);
    if (first?.action === 'create')
      await client.create(jobs, each.jobOf(first), { dryRun: true, namespace: each.plan.metadata.namespace });
  }
  if (output === 'json') return out.json(backfillList(backfills));
  if (output === 'yaml') return out.yaml(backfillList(backfills));
  if (output === 'name') return backfills.flatMap(wanted).forEach(({ name }) => out.line(`job.batch/${name}`));
  for (const [index, each] of backfills.entries()) out.write(`${index > 0 ? '\n' : ''}${backfillTable(each)}`);
  const missing = backfills.flatMap(wanted).length;
  out.line(`${missing} runs would be made (dry run, nothing was started)`);
}

/** Makes the runs, and waits for them when asked to or when nobody else starts them in turn. */
class Session {
  readonly #context: CliContext;
  readonly #client: KubeClient;
  readonly #backfills: readonly Backfill[];
  readonly #selector: string;
  readonly #options: BackfillOptions;
  readonly #made = new Set<string>();
  readonly #progress: BackfillProgress;
  #watch: BackfillWatch | undefined;

  constructor(
    context: CliContext,
    client: KubeClient,
    backfills: readonly Backfill[],
    selector: string,
    options: BackfillOptions,
  ) {
    this.#context = context;
    this.#client = client;
    this.#backfills = backfills;
    this.#selector = selector;
    this.#options = options;
    const runs = backfills.flatMap((each) => each.runs);
    const exist = runs.filter(({ action }) => action === 'exists').length;
    this.#progress = new BackfillProgress(context, runs.length, exist);
  }

  async run(): Promise<void> {
    const { timeout } = this.#options;
    await this.#warn();
    await interruptible(async (interrupted) => {
      const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout * 1000)];
      const stop = new AbortController();
      try {
        await this.#work(AbortSignal.any([interrupted, stop.signal, ...limit]));
      } catch (error) {
        this.#progress.end();
        this.#context.err.line('The runs that were made go on; the same command makes those that are missing.');
        if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
        throw new FailedError(`The backfill has not ended within ${formatDuration(timeout! * 1000)}`);
      } finally {
        stop.abort();
      }
    });
    this.#progress.end();
    await this.#print();
  }

  get #waits(): boolean {
    return this.#options.wait ?? this.#backfills.some((each) => !each.held && wanted(each).length > 0);
  }

  async #work(signal: AbortSignal): Promise<void> {
    if (this.#waits) {
      this.#watch = new BackfillWatch(this.#client, {
        signal,
        labelSelector: this.#selector,
        runs: this.#backfills.flatMap(({ runs }) => runs.map(({ name }) => name)),
        onChange: (...change) => this.#progress.heard(...change),
      });
      await this.#watch.start();
    }
    await inParallel(this.#backfills, REQUESTS_AT_ONCE, (each) =>
      makeBackfill(this.#client, each, {
        signal,
        watch: this.#watch,
        onMade: ({ name, action }, _job, isNew) => {
          if (isNew) this.#made.add(name);
          this.#progress.made(name, isNew ? (action === 'rerun' ? 'made again' : 'made') : 'exists');
        },
      }),
    );
    await this.#watch?.untilOpen(0);
  }

  async #warn(): Promise<void> {
    const { err } = this.#context;
    const warn = (text: string) => err.line(`${err.colors.yellow('warning:')} ${text}`);
    const missing = this.#backfills.filter((each) => wanted(each).length > 0);
    if (missing.some(({ held }) => held)) {
      const warning = await controllerWarning(this.#client, Date.now());
      if (warning !== undefined) warn(warning);
    }
    for (const { plan, runs, held, turns } of missing) {
      const { name } = plan.metadata;
      if (held && kickoffNames(plan.spec.jobTemplate.metadata).length === 0)
        warn(`no input of ${name} is the time of a run: all ${runs.length} runs have the same inputs`);
      if (!held && turns.concurrency < runs.length)
        warn(`no controller sequences the runs of ${name}: this command starts them, and must go on until the last`);
    }
  }

  async #print(): Promise<void> {
    const { out, err, program } = this.#context;
    const { output, group } = this.#options;
    const resultOf = (run: string): BackfilledRun => {
      const phase = this.#watch?.phaseOf(run);
      return { made: this.#made.has(run), ...(phase && { phase }) };
    };
    const documents = this.#backfills.map((each) => backfillDocument(each, resultOf));
    const told: unknown = group === undefined ? documents[0] : documents;
    if (output === 'json') out.json(told);
    else if (output === 'yaml') await out.yaml(JSON.parse(JSON.stringify(told)));
    else if (output === 'name') for (const run of this.#made) out.line(`job.batch/${run}`);
    else for (const each of this.#backfills) this.#printOne(each);
    const runs = this.#backfills.flatMap((each) => each.runs);
    const wrong = runs.filter(({ name }) => {
      const phase = this.#watch?.phaseOf(name);
      return phase === 'Deleted' || (phase !== undefined && isOver(phase) && phase !== 'Succeeded');
    });
    if (wrong.length === 0) return;
    const names = wrong.slice(0, 5).map(({ name }) => name);
    const more = wrong.length > names.length ? ` and ${wrong.length - names.length} more` : '';
    err.line(`${err.colors.red('error:')} ${wrong.length} runs did not succeed: ${names.join(', ')}${more}`);
    err.line(`${program} backfill with --rerun-failed makes those again that failed or were cancelled.`);
    throw new ExitError(exitCodes.failed);
  }

  #printOne({ plan, id, runs }: Backfill): void {
    const { out, err, program } = this.#context;
    const made = runs.filter(({ name }) => this.#made.has(name)).length;
    const { name } = plan.metadata;
    out.line(`backfill ${id} of ${name}: ${runs.length} runs, ${made} made, ${runs.length - made} existed`);
    if (this.#watch === undefined && made > 0 && err.isTerminal)
      err.line(err.colors.dim(`  ${program} runs --plan ${name}${clusterFlags(this.#options)}`));
  }
}
