import { userInfo } from 'node:os';
import { answerText, readAnswer, type Answer, type Answers } from '../../engine/answers.ts';
import { isFinal } from '../../engine/phases.ts';
import type { RunRecord } from '../../engine/record.ts';
import { isAnswerable, type AnswerableStep } from '../../graph/gate-rules.ts';
import type { Graph } from '../../graph/graph.ts';
import { rulesOf } from '../../graph/step-kinds.ts';
import { InvalidError, suggest, type Problem } from '../../values/problems.ts';
import { parseValue } from '../../values/schema.ts';
import type { AnswerStream } from '../terminal/confirm.ts';

/** What the command line says to gates. */
export interface GivenAnswers {
  /** Steps that are approved. */
  readonly approve?: readonly string[];
  /** `<step>=<value>` */
  readonly answer?: readonly string[];
}

/**
 * The answers of the command line, checked against the graph.
 *
 * @param asks whether somebody can be asked; if not, every gate that would wait for ever is a problem
 * @throws InvalidError with all that is wrong
 */
export function localAnswers(graph: Graph, given: GivenAnswers, asks: boolean, record?: RunRecord): Answers {
  const gates = graph.steps.filter(isAnswerable);
  const answers: [string, Answer][] = [];
  const problems: Problem[] = [];
  const take = (path: string, name: string, answer: (step: AnswerableStep) => Answer) => {
    const step = gates.find((gate) => gate.name === name);
    if (step === undefined) {
      const fix = suggest(
        name,
        gates.map((gate) => gate.name),
      );
      return problems.push({ path, message: 'no step of that name waits for it', ...(fix !== undefined && { fix }) });
    }
    const read = readAnswer(step, answerText(answer(step)));
    if ('answer' in read) return answers.push([name, signed(read.answer)]);
    return problems.push(...read.problems.map(({ message, fix }) => ({ path, message, ...(fix && { fix }) })));
  };
  for (const name of given.approve ?? []) take(`--approve ${name}`, name, () => ({ approved: true }));
  for (const text of given.answer ?? []) {
    const [name, ...rest] = text.split('=');
    if (rest.length === 0) problems.push({ path: `--answer ${text}`, message: 'must be <step>=<value>' });
    else take(`--answer ${text}`, name!, (step) => answerFrom(step, rest.join('=')));
  }
  const answered = new Set(answers.map(([name]) => name));
  for (const step of asks ? [] : gates) {
    if (answered.has(step.name) || step.timeoutSeconds !== undefined) continue;
    if (isFinal(record?.steps.get(step.name)?.phase ?? 'Pending')) continue;
    const isApproval = step.gate.waitsFor === 'approval';
    problems.push({
      path: `step ${step.name}`,
      message: `${rulesOf(step).caption(step)}, and nobody is here to answer`,
      fix: `give --${isApproval ? `approve ${step.name}` : `answer ${step.name}=<value>`}`,
    });
  }
  if (problems.length > 0) throw new InvalidError(`Cannot run ${graph.workflow}`, problems);
  return Object.fromEntries(answers);
}

/** The answer that a text is. An approval is `true` or `false`. */
export function answerFrom({ gate, outputs }: AnswerableStep, text: string): Answer {
  if (gate.waitsFor === 'approval') return { approved: parseValue({ type: 'boolean' }, text) as boolean };
  return { value: parseValue(outputs?.properties.value ?? {}, text) };
}

/** The answer, with who gives it and when. */
export function signed(answer: Answer): Answer {
  return { ...answer, by: userInfo().username, at: Date.now() };
}

/** Whether somebody is at the terminal to be asked. */
export function canAsk(isTerminal: boolean, input: AnswerStream = process.stdin): boolean {
  return isTerminal && input.isTTY === true;
}
