import { createRequire } from 'node:module';
import type * as Cel from '@marcbachmann/cel-js';
import type { Json } from './json.ts';

/** CEL. Most graphs have no conditions, so it is loaded by the first one; a synchronous load keeps its users synchronous. */
export function loadCel(): typeof Cel {
  return createRequire(import.meta.url)('@marcbachmann/cel-js') as typeof Cel;
}

/**
 * A value as CEL writes it. JSON's literals are CEL's, but CEL tells integers (`3`) from doubles (`3.0`): a whole number
 * becomes an integer where CEL has one that large, and a double where `type` says so.
 */
export function celLiteral(value: Json, type?: 'double'): string {
  if (typeof value === 'number') return numberLiteral(value, type);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => celLiteral(item)).join(', ')}]`;
  const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${celLiteral(inner)}`);
  return `{${entries.join(', ')}}`;
}

function numberLiteral(value: number, type: 'double' | undefined): string {
  if (!Number.isInteger(value)) return String(value);
  if (Number.isSafeInteger(value)) return type === 'double' ? value.toFixed(1) : value.toFixed(0);
  return value.toExponential();
}
