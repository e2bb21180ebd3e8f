/**
 * On objects whose names carry a content hash: runs that began with an old version still need it, so a GitOps tool
 * must not prune it when a new one takes its place. Old versions are removed by our own garbage collection.
 */
export const KEEP_OLD_VERSIONS = {
  'argocd.argoproj.io/sync-options': 'Prune=false',
  'kustomize.toolkit.fluxcd.io/prune': 'disabled',
} as const;
