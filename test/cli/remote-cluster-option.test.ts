import { describe, expect, it } from 'vitest';
import { parseRemoteCluster } from '../../lib/cli/remote-cluster-option.ts';

describe('--remote-cluster', () => {
  it('says how a cluster is reached, and may be repeated', () => {
    const first = parseRemoteCluster('name=gpu-eu,kubeconfig=/etc/gpu=eu/config');
    expect(parseRemoteCluster('kubeconfig=edge.yaml,context=runs@edge,name=edge,namespace=batch', first)).toEqual([
      { name: 'gpu-eu', kubeconfig: '/etc/gpu=eu/config' },
      { name: 'edge', kubeconfig: 'edge.yaml', context: 'runs@edge', namespace: 'batch' },
    ]);
  });

  it.each([
    ['', '"" is none of name=..., kubeconfig=..., context=..., namespace=...'],
    ['name=x', 'kubeconfig is missing'],
    ['kubeconfig=/a', 'name is missing'],
    ['name=x,kubeconfig=', 'kubeconfig is empty'],
    ['name=x,name=y,kubeconfig=/a', 'name is given twice'],
    ['name=x,kubeconfg=/a', 'did you mean "kubeconfig"?'],
    ['name=X_,kubeconfig=/a', 'name "X_" must be lower-case letters'],
    ['name=x,kubeconfig=/a,namespace=No_', 'namespace "No_" must be'],
    ['name=known,kubeconfig=/a', 'cluster "known" is given twice'],
  ])('refuses %j', (text, message) => {
    expect(() => parseRemoteCluster(text, [{ name: 'known', kubeconfig: '/k' }])).toThrow(message);
  });
});
