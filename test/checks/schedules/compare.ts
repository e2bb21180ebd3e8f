import { execFile } from 'node:child_process';
import { parseCron } from '../../../lib/values/cron.ts';
import { nextTimes } from '../../../lib/values/cron-times.ts';
import { TimeZone } from '../../../lib/values/time-zone.ts';
import { buildProgram } from '../../cluster/go-program.ts';
import { Random } from '../../engine/random.ts';
import { drawQuestion, spoil, withChanges, ZONES, type Question } from './questions.ts';

interface Answer {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly refused: boolean;
}

/** What came of it. */
export interface Comparison {
  readonly expressions: number;
  /** Next times that were compared. */
  readonly times: number;
  /** How often the clocks were set between two times that follow each other. */
  readonly acrossChanges: number;
  /** Spoilt expressions, and how many of them both refuse. */
  readonly spoilt: number;
  readonly refused: number;
  readonly differences: readonly { readonly question: Question; readonly theirs: Answer; readonly ours: Answer }[];
}

/** Asks the Go parser and ours for the next times of random expressions, each in every zone, and whether they take spoilt ones. */
export async function compareSchedules(expressions: number, seed: number): Promise<Comparison> {
  const random = new Random(seed);
  const zones = ZONES.map(withChanges);
  const drawn = Array.from({ length: expressions }, () => {
    const { expression } = drawQuestion(random, zones[0]!);
    return zones.map((zone) => ({ ...drawQuestion(random, zone), expression }));
  }).flat();
  const broken = Array.from({ length: expressions * 4 }, () => {
    const question = drawQuestion(random, random.pick(zones));
    return { ...question, expression: spoil(random, question.expression), count: 1 };
  });
  const questions = [...drawn, ...broken];
  const theirs = await askGo(questions);
  const clocks = new Map(ZONES.map((zone) => [zone, new TimeZone(zone)]));
  const ours = questions.map((question) => answer(question, clocks.get(question.zone)!));
  return {
    expressions,
    times: ours.slice(0, drawn.length).reduce((sum, { times }) => sum + times.length, 0),
    acrossChanges: drawn.reduce(
      (sum, { zone, after }, index) => sum + changesIn([after, ...ours[index]!.times], clocks.get(zone)!),
      0,
    ),
    spoilt: broken.length,
    refused: ours.slice(drawn.length).filter(({ refused }) => refused).length,
    differences: questions.flatMap((question, index) => {
      const [their, our] = [theirs[index]!, ours[index]!];
      return JSON.stringify(their) === JSON.stringify(our) ? [] : [{ question, theirs: their, ours: our }];
    }),
  };
}

function answer({ expression, after, count }: Question, clocks: TimeZone): Answer {
  const schedule = parseCron(expression);
  if ('problem' in schedule) return { times: [], refused: true };
  const times = nextTimes(schedule, after * 1000, clocks).take(count);
  return { times: [...times].map((time) => time / 1000), refused: false };
}

function changesIn(times: readonly number[], clocks: TimeZone): number {
  return times.filter(
    (time, index) => index > 0 && clocks.offsetAt(time * 1000) !== clocks.offsetAt(times[index - 1]! * 1000),
  ).length;
}

async function askGo(questions: readonly Question[]): Promise<readonly Answer[]> {
  const program = await buildProgram({ name: 'schedules', directory: import.meta.dirname });
  const text = await new Promise<string>((done, failed) => {
    const child = execFile(program, { maxBuffer: 1 << 30 }, (error, stdout) => (error ? failed(error) : done(stdout)));
    child.stdin!.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}
