import type { CliContext } from '../../context.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { LiveBlock } from '../../terminal/live-block.ts';
import type { ApplySession } from './apply-session.ts';

/** A line for each cluster on a terminal, while it lasts. */
export class ApplyProgress implements Disposable {
  readonly #block: LiveBlock;
  readonly #lines: Map<string, string>;

  constructor({ err }: CliContext, titles: readonly string[]) {
    this.#block = new LiveBlock(err);
    this.#lines = new Map(titles.map((title) => [title, 'reading']));
    this.#draw();
  }

  /** Says what is done about one cluster. */
  set(title: string, doing: string): void {
    this.#lines.set(title, doing);
    this.#draw();
  }

  [Symbol.dispose](): void {
    this.#block.clear();
  }

  #draw(): void {
    this.#block.draw([...this.#lines].map(([title, doing]) => `${title}: ${doing}`));
  }
}

/** Does something with every cluster, all of them at the same time, and shows how far each is; Ctrl-C ends it. */
export async function withEach<T>(
  context: CliContext,
  sessions: readonly ApplySession[],
  work: (session: ApplySession, progress: ApplyProgress, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  using progress = new ApplyProgress(
    context,
    sessions.map(({ title }) => title),
  );
  return await interruptible((signal) => Promise.all(sessions.map((session) => work(session, progress, signal))));
}

/** Connects to all clusters and plans. */
export async function prepareAll(context: CliContext, sessions: readonly ApplySession[]): Promise<void> {
  await withEach(context, sessions, async (session, progress, signal) => {
    await session.prepare(signal);
    progress.set(session.title, 'read');
  });
}
