import type { Placement } from '../graph/placement.ts';
import { isJsonObject } from '../values/json.ts';
import { InvalidError, show, type Problem } from '../values/problems.ts';

/**
 * Reads the text of a placement file.
 *
 * @throws InvalidError with every field that is wrong
 */
export function parsePlacement(text: string, source: string): Placement {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new InvalidError(
      `${source} cannot be read`,
      [{ path: '', message: `is no JSON: ${(cause as Error).message}`, fix: 'run synth again' }],
      { cause },
    );
  }
  const problems = placementProblems(document);
  if (problems.length > 0) throw new InvalidError(`${source} is not valid`, problems);
  const { clusters, plans = {} } = document as Partial<Placement>;
  return { clusters: clusters!, plans };
}

function placementProblems(document: unknown): Problem[] {
  if (!isJsonObject(document)) return [{ path: '', message: `must be an object, not ${show(document)}` }];
  const { clusters } = document;
  if (!isJsonObject(clusters)) return [{ path: 'clusters', message: `must be an object, not ${show(clusters)}` }];
  return Object.entries(clusters).flatMap(([name, cluster]): Problem[] => {
    const path = `clusters.${name}`;
    if (!isJsonObject(cluster)) return [{ path, message: `must be an object, not ${show(cluster)}` }];
    return (['context', 'namespace'] as const)
      .filter((field) => cluster[field] !== undefined && (typeof cluster[field] !== 'string' || cluster[field] === ''))
      .map((field) => ({ path: `${path}.${field}`, message: `must be a name, not ${show(cluster[field])}` }));
  });
}
