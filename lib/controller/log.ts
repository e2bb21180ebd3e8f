/** What a log line carries beside its message: names and values, never part of the message itself. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logs. Messages are constant; what varies stands in the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that puts these fields into every line. */
  child(fields: LogFields): Logger;
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'json' | 'text';

/** How and what is logged. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** @default standard error */
  readonly write?: (line: string) => void;
}

/** A logger for a process: JSON by pino, for machines, or lines for a person. */
export async function createLogger({ level, format, write }: LogOptions): Promise<Logger> {
  const out = write ?? ((line: string) => void process.stderr.write(line));
  if (format === 'text') return textLogger(level, out, {});
  const { pino } = await import('pino');
  const options = {
    level,
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
  };
  type Pino = ReturnType<typeof pino>;
  const wrap = (logger: Pino): Logger => ({
    debug: (message, fields) => logger.debug(plain(fields), message),
    info: (message, fields) => logger.info(plain(fields), message),
    warn: (message, fields) => logger.warn(plain(fields), message),
    error: (message, fields) => logger.error(plain(fields), message),
    child: (fields) => wrap(logger.child(fields)),
  });
  return wrap(pino(options, { write: out }));
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

function textLogger(level: LogLevel, write: (line: string) => void, own: LogFields): Logger {
  const line = (at: LogLevel) => (message: string, fields?: LogFields) => {
    if (logLevels.indexOf(at) < logLevels.indexOf(level)) return;
    const pairs = Object.entries({ ...own, ...plain(fields) }).filter(([, value]) => value !== undefined);
    const text = pairs.map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    write(`${new Date().toISOString()} ${at.toUpperCase().padEnd(5)} ${message}${text.join('')}\n`);
  };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => textLogger(level, write, { ...own, ...fields }),
  };
}

/** Errors as their message: a stack says nothing about a refused request. Unforeseen ones keep theirs. */
function plain(fields: LogFields = {}): LogFields {
  if (!Object.values(fields).some((value) => value instanceof Error)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describe(value) : value]),
  );
}

function describe(error: Error): string {
  const expected = /^(KubeError|ConnectionError|KubeconfigError|InvalidError|AbortError)$/.test(error.name);
  return expected ? error.message : (error.stack ?? error.message);
}
