import { show } from './problems.ts';

/** Which cron expressions Kubernetes takes: the standard parser of robfig/cron v3. No seconds, no `7`, no `L`, `W` or `#`. */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const ALIASES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Why Kubernetes would refuse the expression, or nothing. */
export function cronProblem(expression: string): string | undefined {
  if (/^(CRON_)?TZ=/.test(expression)) return 'must not name a time zone; set timeZone';
  if (expression.startsWith('@')) return aliasProblem(expression);
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== FIELDS.length)
    return `has ${expression.trim() === '' ? 0 : fields.length} fields, not the five of minute, hour, day of month, month and day of week`;
  for (const [index, text] of fields.entries())
    for (const part of text.split(',')) {
      const wrong = partProblem(part, FIELDS[index]!);
      if (wrong !== undefined) return `${wrong} in the ${FIELDS[index]!.name} ${show(text)}`;
    }
  return undefined;
}

function aliasProblem(expression: string): string | undefined {
  if (ALIASES.includes(expression) || /^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(expression)) return undefined;
  return `is none of ${ALIASES.join(', ')} and @every <duration>`;
}

function partProblem(part: string, field: Field): string | undefined {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0) return `${show(part)} has two steps`;
  if (step !== undefined && !/^[1-9]\d*$/.test(step)) return `the step ${show(step)} is no positive number`;
  if (range === '*' || range === '?') return undefined;
  const bounds = range.split('-');
  if (bounds.length > 2) return `${show(range)} is no range`;
  const [low, high] = bounds.map((bound) => numberOf(bound, field));
  for (const [index, value] of [low, high].slice(0, bounds.length).entries())
    if (value === undefined || value < field.min || value > field.max)
      return `${show(bounds[index])} is not ${field.names ? `${field.names[0]} to ${field.names.at(-1)} or ` : ''}${field.min} to ${field.max}`;
  return high !== undefined && low! > high ? `the range ${show(range)} ends before it begins` : undefined;
}

function numberOf(text: string, { names, min }: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? undefined : index + min;
}

/** Why Kubernetes would refuse the time zone, or nothing. */
export function timeZoneProblem(zone: string): string | undefined {
  if (zone.toLowerCase() === 'local') return 'must be a name from the IANA database, such as Europe/Berlin';
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return /^[+-]/.test(zone) ? 'must be a name from the IANA database, not an offset' : undefined;
  } catch {
    return 'is not in the IANA database of time zones';
  }
}
