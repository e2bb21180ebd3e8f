import type { Problem } from '../values/problems.ts';
import { layerName, type Layer } from './layer.ts';
import { pathText, type Path } from './path.ts';

/** What a merge of one layer needs to know and collects. */
export class MergeContext {
  readonly layer: Layer;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  /** Whether the merge is exactly the API server's, without the conveniences that differ from it. */
  readonly asServer: boolean;

  constructor(layer: Layer, problems: Problem[], warnings: Problem[], asServer = false) {
    this.layer = layer;
    this.problems = problems;
    this.warnings = warnings;
    this.asServer = asServer;
  }

  /** Something that cannot be merged. */
  problem(path: Path | undefined, message: string, fix?: string): void {
    this.problems.push(this.#told(path, undefined, message, fix));
  }

  /** Something that can, and most likely is not what its author meant. */
  warning(path: Path | undefined, field: string | undefined, message: string, fix?: string): void {
    this.warnings.push(this.#told(path, field, message, fix));
  }

  #told(path: Path | undefined, field: string | undefined, message: string, fix: string | undefined): Problem {
    const by = this.layer.source === '' ? '' : ` (${layerName(this.layer)})`;
    return { path: pathText(path, field), message: `${message}${by}`, ...(fix !== undefined && { fix }) };
  }
}
