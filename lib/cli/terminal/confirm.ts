import { createInterface } from 'node:readline/promises';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';

/** Where an answer is read from; the process' stdin. */
export interface AnswerStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

/**
 * Asks a question on the terminal; anything but `y` or `yes` is no.
 *
 * @throws UsageError when nobody is there to answer, naming the option that answers
 */
export async function confirm(
  context: CliContext,
  question: string,
  option: string,
  input: AnswerStream = process.stdin,
): Promise<boolean> {
  if (input.isTTY !== true || !context.err.isTerminal)
    throw new UsageError(`${question} Nobody can answer: give ${option}`);
  const reader = createInterface({ input });
  context.err.write(`${question} [y/N] `);
  try {
    for await (const line of reader) return /^\s*y(es)?\s*$/i.test(line);
    // Ctrl-D: the prompt's line was not ended by an answer.
    context.err.line();
    return false;
  } finally {
    reader.close();
  }
}
