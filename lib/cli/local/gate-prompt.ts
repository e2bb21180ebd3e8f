import { createInterface } from 'node:readline/promises';
import { readAnswer, answerText, type Answer } from '../../engine/answers.ts';
import type { Run } from '../../engine/run.ts';
import { isAnswerable, type AnswerableStep } from '../../graph/gate-rules.ts';
import type { Graph } from '../../graph/graph.ts';
import { rulesOf } from '../../graph/step-kinds.ts';
import { formatProblem } from '../../values/problems.ts';
import type { CliContext } from '../context.ts';
import type { AnswerStream } from '../terminal/confirm.ts';
import { answerFrom, signed } from './answers.ts';
import type { LocalProgress } from './progress.ts';

/** What {@link GatePrompt} works with. */
export interface GatePromptProps {
  readonly context: CliContext;
  readonly graph: Graph;
  /** Makes way for a question. */
  readonly progress: Pick<LocalProgress, 'pause' | 'resume'>;
  /** Called with what was answered. */
  readonly onAnswer: (step: string, answer: Answer) => void;
  /** @default the process' stdin */
  readonly input?: AnswerStream;
}

/** Asks whoever sits at the terminal for what the gates of a run wait for, one after the other. */
export class GatePrompt {
  readonly #props: GatePromptProps;
  readonly #gates: readonly AnswerableStep[];
  readonly #asked = new Set<string>();
  #question: { readonly step: string; readonly abort: AbortController } | undefined;

  constructor(props: GatePromptProps) {
    this.#props = props;
    this.#gates = props.graph.steps.filter(isAnswerable);
  }

  /** Asks what is to be asked now, and takes back a question that nobody needs an answer to any more. */
  turn(run: Run): void {
    const waits = (name: string) => !run.finished && run.step(name).phase === 'Waiting';
    if (this.#question && !waits(this.#question.step)) this.end();
    const next = this.#gates.find(({ name }) => waits(name) && !this.#asked.has(name));
    if (this.#question || next === undefined) return;
    this.#asked.add(next.name);
    const { message } = run.step(next.name);
    void this.#ask(next, message).finally(() => this.turn(run));
  }

  /** Takes back the question that is asked. */
  end(): void {
    this.#question?.abort.abort();
    this.#question = undefined;
  }

  async #ask(step: AnswerableStep, message: string | undefined): Promise<void> {
    const { context, progress, onAnswer, input = process.stdin } = this.#props;
    const question = { step: step.name, abort: new AbortController() };
    this.#question = question;
    const { err } = context;
    progress.pause();
    err.line(
      `${err.colors.bold(step.name)} ${rulesOf(step).caption(step)}${message === undefined ? '' : `: ${message}`}`,
    );
    const reader = createInterface({ input });
    question.abort.signal.addEventListener('abort', () => reader.close(), { once: true });
    try {
      err.write(promptOf(step));
      for await (const line of reader) {
        const answer = read(step, line.trim());
        if (!('problem' in answer)) return onAnswer(step.name, signed(answer));
        err.line(answer.problem);
        err.write(promptOf(step));
      }
      // Ctrl-D, or the question was taken back: the prompt's line was not ended by an answer.
      err.line();
      if (!question.abort.signal.aborted) err.line('No answer: it goes on waiting. Ctrl-C cancels the run.');
    } finally {
      reader.close();
      if (this.#question === question) this.#question = undefined;
      progress.resume();
    }
  }
}

function promptOf({ gate }: AnswerableStep): string {
  return gate.waitsFor === 'approval' ? 'Approve? [y/n] ' : 'Value: ';
}

function read(step: AnswerableStep, line: string): Answer | { readonly problem: string } {
  if (step.gate.waitsFor === 'approval') {
    if (/^(y(es)?|no?)$/i.test(line)) return { approved: /^y/i.test(line) };
    return { problem: 'Answer y or n; n makes the step fail.' };
  }
  const answer = answerFrom(step, line);
  const checked = readAnswer(step, answerText(answer));
  return 'answer' in checked ? answer : { problem: checked.problems.map(formatProblem).join('; ') };
}
