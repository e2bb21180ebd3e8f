import type { Follow } from '../cluster/fleet/fleet-watch.ts';
import type { RunSelection } from '../cluster/runs/list-runs.ts';
import { newestFirst, runColumns, type ListedRun } from '../cluster/runs/runs-view.ts';
import { WatchedRuns } from '../cluster/runs/watched-runs.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { CliContext } from '../context.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { formatTable } from '../terminal/table.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import { Reflector } from '../../kube/reflector.ts';
import { isThere, matches, tableOf, withDuration } from './runs.ts';

/** Between two looks at what is shown, in milliseconds. */
export const SHOW_MS = 500;

/** On a terminal the table is drawn in place; elsewhere every change is a line, or one JSON document on a line. */
export function watchRuns(
  context: CliContext,
  client: KubeClient,
  select: RunSelection,
  options: RunsOptions,
): Promise<void> {
  const { out, err } = context;
  const table = new RunTable(context, options);
  return interruptible(async (signal) => {
    const follow: Follow = (of, { mayBeForbidden, ...more } = {}) => {
      const reflector = new Reflector(client, of, {
        ...more,
        onError: (error) => {
          if (table.drawn || (mayBeForbidden && isForbidden(error))) return;
          err.line(`${err.colors.yellow('warning:')} ${(error as Error).message}`);
        },
      });
      reflector.start(signal);
      return reflector;
    };
    const watched = new WatchedRuns(follow, select, (run) => table.tell(run));
    const block = new LiveBlock(out);
    const show = () => {
      if (table.drawn) block.draw(table.lines(watched.rows()));
      else for (const run of watched.newlySkipped()) table.tell(run);
    };
    await watched.synced();
    show();
    const timer = setInterval(show, SHOW_MS);
    await watched.stopped();
    clearInterval(timer);
    signal.throwIfAborted();
  });
}

/** How runs that are watched are shown. */
export class RunTable {
  /** Whether all of them are drawn in place; else each is told when it has changed. */
  readonly drawn: boolean;
  readonly #context: CliContext;
  readonly #options: RunsOptions;
  #headers = true;

  constructor(context: CliContext, options: RunsOptions) {
    const { output } = options;
    this.#context = context;
    this.#options = options;
    this.drawn = context.out.isTerminal && (output === undefined || output === 'wide');
  }

  lines(runs: readonly ListedRun[]): readonly string[] {
    const shown = runs.filter(matches(this.#options)).sort(newestFirst);
    if (shown.length === 0) return ['No runs found; waiting for some.'];
    return tableOf(this.#context, shown, this.#options).trimEnd().split('\n');
  }

  tell(run: ListedRun): void {
    const { out } = this.#context;
    const { output } = this.#options;
    if (this.drawn || !matches(this.#options)(run)) return;
    if (output === 'name') {
      if (isThere(run)) out.line(`${run.cluster === undefined ? '' : `${run.cluster}/`}job.batch/${run.name}`);
    } else if (output === 'json') out.line(JSON.stringify(withDuration(run)));
    else {
      const columns = runColumns(Date.now(), out.colors, this.#options);
      out.write(formatTable(columns, [run], { wide: output === 'wide', headers: this.#headers }));
      this.#headers = false;
    }
  }
}
