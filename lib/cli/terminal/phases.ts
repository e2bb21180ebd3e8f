import type { StepPhase } from '../../engine/record.ts';
import type { Colors } from './output.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How phases look in a terminal: the same in every command. */
export interface PhaseStyle {
  glyph(phase: StepPhase): string;
  /** In the phase's colour. */
  paint(phase: StepPhase, text: string): string;
  /** For what runs: another one each time. */
  spinner(tick: number): string;
}

const unicode: Readonly<Record<StepPhase, string>> = {
  Pending: '·',
  Waiting: '◌',
  Running: '▶',
  Succeeded: '✓',
  Failed: '✗',
  Skipped: '-',
  Cancelled: '⊘',
};

const ascii: Readonly<Record<StepPhase, string>> = {
  Pending: '.',
  Waiting: ':',
  Running: '>',
  Succeeded: '+',
  Failed: 'x',
  Skipped: '-',
  Cancelled: '#',
};

const UNICODE_SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const ASCII_SPINNER = '|/-\\';

/** The style that fits the terminal. */
export function phaseStyle(colors: Colors, env: Environment): PhaseStyle {
  const glyphs = takesUnicode(env) ? unicode : ascii;
  const frames = [...(takesUnicode(env) ? UNICODE_SPINNER : ASCII_SPINNER)];
  const paints: Readonly<Record<StepPhase, (text: string) => string>> = {
    Pending: colors.dim,
    Waiting: colors.yellow,
    Running: colors.cyan,
    Succeeded: colors.green,
    Failed: colors.red,
    Skipped: colors.dim,
    Cancelled: colors.magenta,
  };
  return {
    glyph: (phase) => glyphs[phase],
    paint: (phase, text) => paints[phase](text),
    spinner: (tick) => frames[tick % frames.length]!,
  };
}

/** Terminals take Unicode today even where no locale is set, unless one says that they do not. */
export function takesUnicode({ LC_ALL, LC_CTYPE, LANG, TERM }: Environment): boolean {
  return TERM !== 'linux' && !/^(C|POSIX)$|8859|ascii/i.test(LC_ALL || LC_CTYPE || LANG || '');
}
