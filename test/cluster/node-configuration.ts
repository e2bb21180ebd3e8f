import { stringify } from 'yaml';
import type { Namespace } from './namespace.ts';

/** The name of the image that every pod's namespaces are held by. */
export const sandboxImageName = 'cdk8s-workflows.dev/sandbox:1';

/** The name of the one real node. */
export const nodeName = 'node';

/** Configuration of containerd's CRI. Paths are those inside the namespace, where the defaults are free. */
export function containerdConfiguration(cniDirectory: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return [
    'version = 2',
    `[${cri}]`,
    // Containers cannot get a better score than containerd itself where CAP_SYS_RESOURCE is missing.
    'restrict_oom_score_adj = true',
    `sandbox_image = "${sandboxImageName}"`,
    `[${cri}.containerd.runtimes.runc]`,
    'runtime_type = "io.containerd.runc.v2"',
    `[${cri}.cni]`,
    'bin_dir = "/usr/lib/cni"',
    `conf_dir = "${cniDirectory}"`,
    '',
  ].join('\n');
}

/**
 * Configuration of the pods' network: a routed link for each. On a bridge, answers between pods would bypass the
 * translation of Service addresses unless the kernel has br_netfilter.
 */
export function cniConfiguration({ podRange }: Namespace): string {
  const ipam = { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] };
  const plugins = [{ type: 'ptp', ipMasq: false, ipam }];
  return JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins }, undefined, 2);
}

/** Configuration of the kubelet. */
export function kubeletConfiguration(caFile: string, cgroup: string): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: caFile } },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: [],
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    failSwapOn: false,
    oomScoreAdj: 0,
    readOnlyPort: 0,
    resolvConf: '',
    kubeAPIQPS: 500,
    kubeAPIBurst: 1000,
    eventRecordQPS: 0,
    registryPullQPS: 0,
    serializeImagePulls: false,
    maxPods: 200,
  });
}

/** Configuration of kube-proxy. */
export function kubeProxyConfiguration(kubeconfig: string, { podRange }: Namespace): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    mode: 'nftables',
    clusterCIDR: podRange,
    oomScoreAdj: 0,
    // A change is felt at once; by default it may take a second.
    nftables: { minSyncPeriod: '0s' },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}
