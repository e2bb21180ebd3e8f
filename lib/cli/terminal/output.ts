import pico from 'picocolors';

export type Colors = ReturnType<typeof pico.createColors>;

/** A stream that text is written to: stdout, stderr, or a test's own. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** One of the two output streams, with the colours that fit it. */
export class Output {
  readonly stream: TextStream;
  /** Functions that colour text, or leave it alone where colours are not wanted. */
  readonly colors: Colors;

  constructor(stream: TextStream, env: Environment) {
    this.stream = stream;
    this.colors = pico.createColors(wantsColors(stream, env));
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Characters in a line; 80 when the stream does not say. */
  get columns(): number {
    return this.stream.columns || 80;
  }

  write(text: string): void {
    this.stream.write(text);
  }

  line(text = ''): void {
    this.stream.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, undefined, 2));
  }

  async yaml(value: unknown): Promise<void> {
    const { stringify } = await import('yaml');
    this.write(stringify(value, { lineWidth: 0 }));
  }
}

/** Colours go to terminals only. `NO_COLOR` (no-color.org) and `FORCE_COLOR` decide otherwise; `NO_COLOR` wins. */
export function wantsColors(stream: TextStream, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return !['0', 'false'].includes(env.FORCE_COLOR);
  return stream.isTTY === true && env.TERM !== 'dumb';
}
