import { randomBytes } from 'node:crypto';

/** Users by name, with the token and the groups of each. */
export type Tokens = ReadonlyMap<string, { readonly token: string; readonly groups: readonly string[] }>;

/** Tokens for the administrator, for the components, and for `users`. */
export function makeTokens(users: Readonly<Record<string, readonly string[]>>): Tokens {
  const all: Record<string, readonly string[]> = {
    admin: ['system:masters'],
    'system:kube-controller-manager': [],
    'system:kube-scheduler': [],
    'system:kube-proxy': [],
    'system:node:node': ['system:nodes'],
    ...users,
  };
  return new Map(
    Object.entries(all).map(([user, groups]) => [user, { token: randomBytes(18).toString('base64url'), groups }]),
  );
}

/** The file that `--token-auth-file` of the API server reads. */
export function tokensFile(tokens: Tokens): string {
  return [...tokens].map(([user, { token, groups }]) => `${token},${user},${user},"${groups.join(',')}"\n`).join('');
}
