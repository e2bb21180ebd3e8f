import { gunzipSync, gzipSync } from 'node:zlib';
import { canonicalJson } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import type { Graph } from './graph.ts';
import { parseGraph } from './validate.ts';

/** What a ConfigMap holds at most: 1 MiB of keys and values together (Kubernetes: MaxSecretSize), less what its metadata may need. */
const CONFIG_MAP_BYTES = 1024 * 1024 - 32 * 1024;

const PLAIN = 'graph.json';
const COMPRESSED = 'graph.json.gz';

/** The part of a ConfigMap that carries a graph. */
export interface GraphData {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** A graph as the content of a ConfigMap: as plain JSON while it fits, compressed beyond; a problem with its size when that does not fit either. */
export function encodeGraph(graph: Graph): GraphData | Problem {
  const json = canonicalJson(graph);
  if (Buffer.byteLength(json) <= CONFIG_MAP_BYTES) return { data: { [PLAIN]: json } };
  const compressed = gzipSync(json, { level: 9 }).toString('base64');
  if (compressed.length <= CONFIG_MAP_BYTES) return { binaryData: { [COMPRESSED]: compressed } };
  return {
    path: graph.workflow,
    message: `its graph of ${graph.steps.length} steps takes ${kib(Buffer.byteLength(json))}, ${kib(compressed.length)} compressed; a ConfigMap holds ${kib(CONFIG_MAP_BYTES)}`,
    fix: 'split the workflow, or pass large literal inputs by reference',
  };
}

/** The graph that a ConfigMap carries, or why it carries none. */
export function decodeGraph({
  data,
  binaryData,
}: GraphData): { readonly graph: Graph } | { readonly problems: readonly Problem[] } {
  try {
    const compressed = binaryData?.[COMPRESSED];
    const json = compressed === undefined ? data?.[PLAIN] : gunzipSync(Buffer.from(compressed, 'base64')).toString();
    if (json === undefined) return { problems: [{ path: 'data', message: `has neither ${PLAIN} nor ${COMPRESSED}` }] };
    return parseGraph(JSON.parse(json));
  } catch (cause) {
    return { problems: [{ path: 'data', message: `is not readable: ${show((cause as Error).message)}` }] };
  }
}

const kib = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`;
