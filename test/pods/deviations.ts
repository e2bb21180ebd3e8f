import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';

/** What comes of a merge: the template's spec, or that it is refused with words like these. */
export type Outcome = { readonly spec: unknown } | { readonly refused: RegExp };

/** A case where we do not what the API server does, and why. */
export interface Deviation {
  readonly name: string;
  readonly why: string;
  readonly base: PodTemplate;
  readonly patch: PodTemplateOverride;
  readonly server: Outcome;
  readonly ours: Outcome;
}

const main = (container: object = {}) => ({ name: 'main', ...container });
const spec = (fields: object): PodTemplate => ({ spec: { ...fields } as never });
const patch = (fields: object): PodTemplateOverride => ({ spec: fields }) as never;
const env = (...variables: object[]) => ({ containers: [main({ env: variables })] });

/**
 * All cases in which our merge is not the API server's. The first two are conveniences; in all others the API server
 * does something that nobody can have meant, so we do what was written or refuse it. A test holds both columns.
 */
export const deviations: readonly Deviation[] = [
  {
    name: 'new items follow the inherited ones',
    why: 'a variable that says $(INHERITED) is only expanded after it; $setElementOrder is obeyed',
    base: spec(env({ name: 'HOST', value: 'h' })),
    patch: patch(env({ name: 'URL', value: '$(HOST)/x' })),
    server: { spec: env({ name: 'URL', value: '$(HOST)/x' }, { name: 'HOST', value: 'h' }) },
    ours: { spec: env({ name: 'HOST', value: 'h' }, { name: 'URL', value: '$(HOST)/x' }) },
  },
  {
    name: 'of the members of a union the last one set stays',
    why: 'a variable, volume, probe or handler with two sources is refused by every cluster',
    base: spec({ volumes: [{ name: 'v', emptyDir: {} }] }),
    patch: patch({ volumes: [{ name: 'v', configMap: { name: 'c' } }] }),
    server: { spec: { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'c' } }] } },
    ours: { spec: { volumes: [{ name: 'v', configMap: { name: 'c' } }] } },
  },
  {
    name: "$patch 'replace' sets a map that nobody set before",
    why: 'the API server drops the field; lower layers may come and go',
    base: spec({}),
    patch: patch({ nodeSelector: { $patch: 'replace', gpu: 'a100' } }),
    server: { spec: {} },
    ours: { spec: { nodeSelector: { gpu: 'a100' } } },
  },
  {
    name: "$patch 'replace' in a list that is replaced anyway says nothing",
    why: 'the API server leaves an empty item: a toleration of every taint',
    base: spec({ tolerations: [{ key: 'a' }] }),
    patch: patch({ tolerations: [{ $patch: 'replace' }, { key: 'b' }] }),
    server: { spec: { tolerations: [{}, { key: 'b' }] } },
    ours: { spec: { tolerations: [{ key: 'b' }] } },
  },
  {
    name: "$patch 'delete' in a list without keys is refused",
    why: 'the API server adds the item that was to be deleted',
    base: spec({ tolerations: [{ key: 'a' }] }),
    patch: patch({ tolerations: [{ key: 'a', $patch: 'delete' }] }),
    server: { spec: { tolerations: [{ key: 'a' }] } },
    ours: { refused: /spec\.tolerations: the item .* asks for a merge, and this list is replaced whole/ },
  },
  {
    name: "$patch 'replace' within a new item empties nothing and leaves nothing behind",
    why: 'the API server leaves a variable without a name',
    base: spec({ containers: [main()] }),
    patch: patch({ containers: [{ name: 'new', env: [{ $patch: 'replace' }, { name: 'A', value: '1' }] }] }),
    server: { spec: { containers: [{ name: 'new', env: [{ name: '' }, { name: 'A', value: '1' }] }, main()] } },
    ours: { spec: { containers: [main(), { name: 'new', env: [{ name: 'A', value: '1' }] }] } },
  },
  {
    name: "$patch 'replace' beside other fields of an item is refused",
    why: 'the API server replaces the whole list and drops the item',
    base: spec(env({ name: 'A', value: '1' }, { name: 'B', value: '2' })),
    patch: patch(env({ name: 'A', value: '3', $patch: 'replace' })),
    server: { spec: { containers: [main()] } },
    ours: { refused: /would be lost: \$patch 'replace' stands for the whole list/ },
  },
  {
    name: "$patch 'merge' is the default said aloud",
    why: 'the API documents it as a directive and refuses it',
    base: spec({ nodeSelector: { a: '1' } }),
    patch: patch({ nodeSelector: { $patch: 'merge', b: '2' } }),
    server: { refused: /unknown patch type/ },
    ours: { spec: { nodeSelector: { a: '1', b: '2' } } },
  },
  {
    name: 'null in a map that is taken whole removes',
    why: 'the API server makes it an empty text',
    base: spec({ nodeSelector: { a: '1' } }),
    patch: patch({ nodeSelector: { $patch: 'replace', b: null, c: '3' } }),
    server: { spec: { nodeSelector: { b: '', c: '3' } } },
    ours: { spec: { nodeSelector: { c: '3' } } },
  },
  {
    name: 'what starts with $ and is no directive is refused',
    why: 'the API server drops it without a word',
    base: spec({ containers: [main()] }),
    patch: patch({ containers: [main({ $retianKeys: ['name'] })] }),
    server: { spec: { containers: [main()] } },
    ours: { refused: /"\$retianKeys" is no directive; did you mean "\$retainKeys"\?/ },
  },
  {
    name: 'an item without its key is refused, also where there is no list yet',
    why: 'the API server keeps it, without a name',
    base: spec({}),
    patch: patch({ imagePullSecrets: [{}] }),
    server: { spec: { imagePullSecrets: [{}] } },
    ours: { refused: /spec\.imagePullSecrets: the item \{\} has no name; items are merged by name: set it/ },
  },
  {
    name: '$deleteFromPrimitiveList takes a list',
    why: 'for null the API server removes the whole list',
    base: spec({ containers: [main({ args: ['a', 'b'] })] }),
    patch: patch({ containers: [main({ '$deleteFromPrimitiveList/args': null })] }),
    server: { spec: { containers: [main()] } },
    ours: { refused: /\$deleteFromPrimitiveList\/args must be a list, not null/ },
  },
  {
    name: 'an empty $setElementOrder leaves the order as it is',
    why: 'the API server turns new items round',
    base: spec({ volumes: [{ name: 'a', emptyDir: {} }] }),
    patch: patch({
      '$setElementOrder/volumes': [],
      volumes: [
        { name: 'b', emptyDir: {} },
        { name: 'c', emptyDir: {} },
      ],
    }),
    server: { spec: { volumes: ['a', 'c', 'b'].map((name) => ({ name, emptyDir: {} })) } },
    ours: { spec: { volumes: ['a', 'b', 'c'].map((name) => ({ name, emptyDir: {} })) } },
  },
  {
    name: 'a field that Kubernetes does not have is kept, with a warning',
    why: 'the cluster may be newer than our table',
    base: spec({}),
    patch: patch({ nodeSelektor: { gpu: 'a100' } }),
    server: { spec: {} },
    ours: { spec: { nodeSelektor: { gpu: 'a100' } } },
  },
];
