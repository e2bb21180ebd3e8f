import { isJsonObject, type JsonObject } from '../values/json.ts';
import type { Level } from './setting-levels.ts';

/** What is said of plans by those who do not make them. */
export interface PlanDefaults {
  /** The cluster's name in its fleet. */
  readonly cluster?: string;
  /** What the fleet and the workflow say, the lowest first; the fields are those of a registration. */
  readonly levels: readonly Level<JsonObject>[];
}

/** Reads the annotation of a graph; whoever broke it loses the defaults, and no registration. */
export function readPlanDefaults(text: string | undefined): PlanDefaults {
  const found = parse(text);
  if (!isJsonObject(found)) return { levels: [] };
  const { cluster } = found;
  const levels = (['fleet', 'workflow'] as const).flatMap((name): readonly Level<JsonObject>[] => {
    const settings = found[name];
    return isJsonObject(settings) ? [{ name, settings }] : [];
  });
  return { ...(typeof cluster === 'string' && { cluster }), levels };
}

function parse(text = 'null'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
