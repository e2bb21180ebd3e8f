/** The file by which `kubectl apply -k`, Argo CD and Flux take a directory of manifests as one. */
export const KUSTOMIZATION_FILE = 'kustomization.yaml';

const OURS = '# Written by synth. To change something, make a kustomization of your own that names this directory.';

/**
 * A kustomization of manifests. Objects that name no namespace go to the one given, as `apply` puts them; that of others is left
 * alone, and so are the subjects of role bindings. (kustomize: NamespaceTransformer; the field `namespace` would change all of them)
 */
export function kustomization(files: readonly string[], namespace: string): string {
  return `${OURS}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${files.map((file) => `  - ${JSON.stringify(file)}\n`).join('')}transformers:
  - |-
    apiVersion: builtin
    kind: NamespaceTransformer
    metadata:
      name: namespace
      namespace: ${namespace}
    setRoleBindingSubjects: none
    unsetOnly: true
`;
}

/** Whether synth wrote a kustomization. */
export function isOurKustomization(text: string): boolean {
  return text.startsWith(OURS);
}
