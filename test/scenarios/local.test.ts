import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalRunner } from '../../lib/local/local-runner.ts';
import { RecordFile } from '../../lib/local/record-file.ts';
import { RunDirectory } from '../../lib/local/run-directory.ts';
import { fileVariable, inputVariable } from '../../lib/values/environment.ts';
import { template } from '../local/fixtures.ts';
import { expected, graphOfScenario, outcomeOf, templateNames, type Doing, type Scenario } from './scenario.ts';
import { scenarios } from './table.ts';

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'cdk8s-workflows-scenarios-'))));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.concurrent.for(scenarios.map((scenario, index) => ({ ...scenario, index })))(
  'on this machine: $name',
  async ({ index, ...scenario }) => {
    expect(await runHere(scenario, `s${index}`)).toEqual(expected(scenario));
  },
);

async function runHere(scenario: Scenario, name: string) {
  const graph = graphOfScenario(scenario, name);
  const pod = template(script(scenario));
  const workingDirectory = join(root, `${name}-work`);
  mkdirSync(workingDirectory);
  const { directory } = RunDirectory.create(root, name);
  const { inputs = {}, parallelism = 10, timeoutSeconds, answers, asked } = scenario;
  const templates = Object.fromEntries(templateNames(graph).map((each) => [each, pod]));
  const run = { name, graph, templates, configMaps: {}, inputs, parallelism, workingDirectory };
  let wasAsked = false;
  const runner = new LocalRunner({
    run: { ...run, ...(timeoutSeconds !== undefined && { timeoutSeconds }) },
    directory,
    env: process.env,
    ...(answers && { answers }),
    onTurn: (engine) => {
      const [step, reason] = asked?.once.split(': ') ?? [];
      if (asked === undefined || wasAsked || engine.step(step!).reason !== reason) return;
      wasAsked = true;
      if (asked.cancel !== undefined) runner.cancel(asked.cancel);
      for (const [gate, answer] of Object.entries(asked.answers ?? {})) runner.answer(gate, answer);
    },
  });
  await runner.execute();
  return outcomeOf(RecordFile.read(directory)!, scenario);
}

/** One program for all steps: it looks for what it has to do under its step and attempt. */
function script({ does = {} }: Scenario): string {
  const cases = Object.entries(does).map(([step, doing]) => {
    const each = (Array.isArray(doing) ? doing : [doing]) as readonly Doing[];
    const arms = each.map((one, index) => `${index === each.length - 1 ? '*' : index + 1}) ${commands(one)};;`);
    return `${step}) case $WORKFLOW_ATTEMPT in ${arms.join(' ')} esac;;`;
  });
  return `case $WORKFLOW_STEP in ${cases.join(' ')} *) true;; esac`;
}

/** An input, or of an item of an Indexed Job what is in its file. */
function valueOf(input: string): string {
  const variable = inputVariable(input);
  return `\${${variable}-$(cat "$${fileVariable(input)}")}`;
}

function commands({ exit = 0, outputs, passes, seconds = 0 }: Doing): string {
  const written = typeof outputs === 'string' ? outputs : JSON.stringify(outputs);
  const passed = Object.entries(passes ?? {}).map(([output, input]) => `"${output}":'"${valueOf(input)}"'`);
  const text = passes === undefined ? written : `{${passed.join(',')}}`;
  return [
    ...(text === undefined ? [] : [`printf %s '${text}' > "$WORKFLOW_OUTPUTS"`]),
    ...(seconds > 0 ? [`sleep ${seconds}`] : []),
    `exit ${exit}`,
  ].join('; ');
}
