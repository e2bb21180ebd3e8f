import type { Argument, Command, Option } from 'commander';
import type { CommandModule } from './command-module.ts';
import type { CliContext } from './context.ts';
import { fleetClusterOption } from './options.ts';

/** Something that may come next. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** What may come next, or that it is the name of a file. */
export type Completion = { readonly candidates: readonly Candidate[] } | { readonly files: true };

/** What completes a command line: the commands as commander has them, and what modules know of names. */
export interface Completer {
  readonly program: Command;
  readonly modules: readonly CommandModule[];
  readonly context: CliContext;
}

/** What may come in place of the last word, which may be empty or half typed. */
export async function complete(completer: Completer, words: readonly string[]): Promise<Completion> {
  const partial = words.at(-1) ?? '';
  const read = readWords(completer.program, words.slice(0, -1));
  const { command, pending } = read;
  if (pending !== undefined) return valuesOf(completer, read, pending, partial);
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(partial) ?? [];
  const inline = name === undefined ? undefined : findOption(command, name);
  if (inline !== undefined && value !== undefined) {
    const values = await valuesOf(completer, read, inline, value);
    return 'files' in values
      ? values
      : { candidates: values.candidates.map((each) => ({ ...each, value: `${name}=${each.value}` })) };
  }
  if (partial.startsWith('-')) return fitting(partial, optionCandidates(command));
  if (command === completer.program) return fitting(partial, commandCandidates(completer));
  const argument =
    command.registeredArguments[read.before.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
  return argument === undefined ? { candidates: [] } : valuesOf(completer, read, argument, partial);
}

interface ReadWords {
  readonly command: Command;
  /** The command's arguments so far. */
  readonly before: readonly string[];
  /** An option whose value comes next. */
  readonly pending?: Option;
}

function readWords(program: Command, words: readonly string[]): ReadWords {
  let command = program;
  let pending: Option | undefined;
  const before: string[] = [];
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith('-') && word !== '-') {
      const option = word.includes('=') ? undefined : findOption(command, word);
      pending = option !== undefined && (option.required || option.optional) ? option : undefined;
    } else if (command === program) {
      command = program.commands.find((each) => each.name() === word) ?? program;
    } else before.push(word);
  }
  return { command, before, ...(pending && { pending }) };
}

function findOption(command: Command, flag: string): Option | undefined {
  const all = [...command.options, ...(command.parent?.options ?? [])];
  return all.find(({ long, short }) => long === flag || short === flag);
}

async function valuesOf(
  { modules, context }: Completer,
  { command, before }: ReadWords,
  of: Option | Argument,
  partial: string,
): Promise<Completion> {
  if (of.argChoices !== undefined)
    return fitting(
      partial,
      of.argChoices.map((value) => ({ value })),
    );
  if (of === fleetClusterOption) {
    const { clusterNames } = await import('./cluster/read-placement.ts');
    const names = await clusterNames(context.cwd);
    return fitting(
      partial,
      names.map((value) => ({ value })),
    );
  }
  const module = modules.find(({ name }) => name === command.name());
  const option = 'long' in of ? of.long : undefined;
  const names = await module?.complete?.({ before, partial, ...(option && { option }) }, context);
  return names === undefined
    ? { files: true }
    : fitting(
        partial,
        names.map((value) => ({ value })),
      );
}

function fitting(partial: string, candidates: readonly Candidate[]): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(partial)) };
}

function commandCandidates({ modules }: Completer): Candidate[] {
  return modules
    .filter(({ group }) => group !== undefined)
    .map(({ name, summary }) => ({ value: name, description: summary }));
}

function optionCandidates(command: Command): Candidate[] {
  const options = [...command.options, ...(command.parent?.options ?? [])].filter(({ hidden }) => !hidden);
  const named = options.map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
  return [...named, { value: '--help', description: 'show help' }];
}
