import { isDeepStrictEqual } from 'node:util';
import { layerName } from './layer.ts';
import { ListNode, MapNode, originOf, Removed, type Node, type Origin } from './node.ts';
import { fieldStep, joinPath } from './path.ts';

export type { Origin };

/** A field of a template and where it came from. */
export interface FieldOrigin {
  /** `spec.containers[main].env[A].value` */
  readonly path: string;
  readonly origin: Origin;
}

/** Where the fields of a merged template came from. */
export class Origins {
  readonly #root: MapNode;

  constructor(root: MapNode) {
    this.#root = root;
  }

  /**
   * Each leaf of the template once, in the template's order. A leaf is what merging takes whole: a scalar, a list
   * without keys (`tolerations`, `args`), an empty map or list.
   */
  leaves(): readonly FieldOrigin[] {
    const found: FieldOrigin[] = [];
    visit(this.#root, '', (path, node) => node instanceof Removed || found.push({ path, origin: originOf(node) }));
    return found;
  }

  /** Each leaf that a layer took away and no later one set again. */
  removals(): readonly FieldOrigin[] {
    const found: FieldOrigin[] = [];
    visit(this.#root, '', (path, node) => {
      if (node instanceof Removed) buried(node, path, found);
    });
    return found;
  }

  /** The origin of a leaf, or of the leaf that a path leads into, such as `spec.tolerations[0].key`. */
  at(path: string): Origin | undefined {
    const inside = (leaf: string) => path === leaf || path.startsWith(`${leaf}.`) || path.startsWith(`${leaf}[`);
    return this.leaves().find((leaf) => inside(leaf.path))?.origin;
  }

  /** The leaves at or below a path, such as `spec.nodeSelector`. */
  below(path: string): readonly FieldOrigin[] {
    return this.leaves().filter(
      (leaf) =>
        path === '' || leaf.path === path || leaf.path.startsWith(`${path}.`) || leaf.path.startsWith(`${path}[`),
    );
  }
}

/** An origin and what it replaced, latest first. */
export function originChain(origin: Origin): readonly Origin[] {
  const chain: Origin[] = [];
  for (let at: Origin | undefined = origin; at !== undefined; at = at.replaced) chain.push(at);
  return chain;
}

/** `"a100", step override of etl/train (main.ts:12), instead of "v100", task of train` */
export function describeOrigin(origin: Origin): string {
  return originChain(origin)
    .filter((at, place, chain) => place === 0 || !isDeepStrictEqual(at.value, chain[place - 1]!.value))
    .map(({ layer, value }) => `${value === undefined ? 'removed' : JSON.stringify(value)}, ${layerName(layer)}`)
    .join(', instead of ');
}

function visit(node: Node, path: string, tell: (path: string, node: Node) => void): void {
  let empty = true;
  if (node instanceof MapNode) {
    for (const [field, inner] of node.fields) {
      if (!(inner instanceof Removed)) empty = false;
      visit(inner, joinPath(path, fieldStep(field)), tell);
    }
    if (empty) tell(path, node);
  } else if (node instanceof ListNode) {
    const seen = new Map<unknown, number>();
    for (const { id, node: item } of node.items) {
      const nth = (seen.get(id) ?? 0) + 1;
      seen.set(id, nth);
      visit(item, `${path}[${String(id)}${nth > 1 ? `#${nth}` : ''}]`, tell);
    }
    for (const [id, gone] of node.gone) visit(gone, `${path}[${String(id)}]`, tell);
    if (node.items.length === 0) tell(path, node);
  } else tell(path, node);
}

function buried(gone: Removed, path: string, found: FieldOrigin[]): void {
  visit(gone.was, path, (inner, node) => {
    if (node instanceof Removed) buried(node, inner, found);
    else found.push({ path: inner, origin: { layer: gone.layer, value: undefined, replaced: originOf(node) } });
  });
}
