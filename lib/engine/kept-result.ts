import { isJsonObject, type JsonObject } from '../values/json.ts';
import type { Instant } from './record.ts';

/** What a step gave, kept for steps that would give the same. */
export interface KeptResult {
  /** Left out when it gives nothing. */
  readonly outputs?: JsonObject;
  /** The run and the step that it comes from. */
  readonly run: string;
  readonly step: string;
  /** When that step ended. */
  readonly at: Instant;
}

/** Results are forgotten after this time if their step does not say another. */
const KEEP_SECONDS = 90 * 24 * 3600;

/** From when on a result may be forgotten. */
export function expiryOf({ at }: KeptResult, ttlSeconds = KEEP_SECONDS): Instant {
  return at + ttlSeconds * 1000;
}

/** A result as text; the time as ISO 8601 in UTC, since people read it. */
export function encodeResult(result: KeptResult): string {
  return JSON.stringify({ ...result, at: new Date(result.at).toISOString() });
}

/** The result that a text holds; nothing when it holds none: anybody may have edited it, and a lost result is only slower. */
export function decodeResult(text: string | undefined): KeptResult | undefined {
  const json = parse(text);
  if (!isJsonObject(json)) return undefined;
  const { outputs, run, step, at } = json;
  const time = typeof at === 'string' ? Date.parse(at) : NaN;
  if (typeof run !== 'string' || typeof step !== 'string' || Number.isNaN(time)) return undefined;
  if (outputs !== undefined && !isJsonObject(outputs)) return undefined;
  return { ...(outputs && { outputs: outputs as JsonObject }), run, step, at: time };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
