import type { V1LifecycleHandler } from '@kubernetes/client-node/dist/gen/models/V1LifecycleHandler.js';
import { show } from '../values/problems.ts';
import { allContexts, containerContexts, type PodCheck } from './pod-security-check.ts';

const REMOVE = 'remove it';

// policy/check_hostNamespaces.go
const hostNamespaces: PodCheck = {
  id: 'hostNamespaces',
  *problems({ spec }) {
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
      if (spec[field] === true) yield { path: `spec.${field}`, message: 'must not be true', fix: REMOVE };
  },
};

// policy/check_hostPathVolumes.go
const hostPathVolumes: PodCheck = {
  id: 'hostPathVolumes',
  *problems({ spec }) {
    for (const { name, hostPath } of spec.volumes ?? [])
      if (hostPath != null)
        yield {
          path: `spec.volumes[${name}].hostPath`,
          message: `${show(hostPath.path)} is a path of the node`,
          fix: 'use an emptyDir or a persistentVolumeClaim',
        };
  },
};

// policy/check_hostPorts.go
const hostPorts: PodCheck = {
  id: 'hostPorts',
  *problems({ containers }) {
    for (const { path, container } of containers)
      for (const { containerPort, hostPort = 0 } of container.ports ?? [])
        if (hostPort !== 0)
          yield { path: `${path}.ports[${containerPort}].hostPort`, message: `must not be ${hostPort}`, fix: REMOVE };
  },
};

// policy/check_hostProbesAndhostLifecycle.go, from 1.34
const hostProbes: PodCheck = {
  id: 'hostProbesAndHostLifecycle',
  *problems({ containers }) {
    for (const { path, container } of containers) {
      const handlers: Readonly<Record<string, V1LifecycleHandler | undefined>> = {
        livenessProbe: container.livenessProbe,
        readinessProbe: container.readinessProbe,
        startupProbe: container.startupProbe,
        'lifecycle.postStart': container.lifecycle?.postStart,
        'lifecycle.preStop': container.lifecycle?.preStop,
      };
      for (const [name, handler] of Object.entries(handlers))
        for (const action of ['httpGet', 'tcpSocket'] as const) {
          const host = handler?.[action]?.host ?? '';
          if (host !== '')
            yield { path: `${path}.${name}.${action}.host`, message: `must not be ${show(host)}`, fix: REMOVE };
        }
    }
  },
};

// policy/check_privileged.go
const privileged: PodCheck = {
  id: 'privileged',
  *problems(pod) {
    for (const { path, context } of containerContexts(pod))
      if (context.privileged === true) yield { path: `${path}.privileged`, message: 'must not be true', fix: REMOVE };
  },
};

const CAPABILITIES: ReadonlySet<string> = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);

// policy/check_capabilities_baseline.go
const capabilities: PodCheck = {
  id: 'capabilities_baseline',
  *problems(pod) {
    for (const { path, context } of containerContexts(pod))
      for (const capability of context.capabilities?.add ?? [])
        if (!CAPABILITIES.has(capability))
          yield {
            path: `${path}.capabilities.add`,
            message: `must not have ${show(capability)}`,
            fix: `allowed are ${[...CAPABILITIES].join(', ')}`,
          };
  },
};

// policy/check_procMount.go; the relaxation for user namespaces is behind an alpha gate that is off
const procMount: PodCheck = {
  id: 'procMount',
  *problems(pod) {
    for (const { path, context } of containerContexts(pod))
      if (context.procMount != null && context.procMount !== 'Default')
        yield {
          path: `${path}.procMount`,
          message: `must not be ${show(context.procMount)}`,
          fix: 'allowed is "Default"',
        };
  },
};

const PROFILES: ReadonlySet<string> = new Set(['RuntimeDefault', 'Localhost']);
const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

// policy/check_appArmorProfile.go
const appArmorProfile: PodCheck = {
  id: 'appArmorProfile',
  *problems(pod) {
    for (const { path, context } of allContexts(pod))
      if (context.appArmorProfile != null && !PROFILES.has(context.appArmorProfile.type))
        yield forbiddenProfile(`${path}.appArmorProfile.type`, context.appArmorProfile.type);
    for (const [key, value] of Object.entries(pod.annotations))
      if (key.startsWith(APP_ARMOR_ANNOTATION) && !/^$|^runtime\/default$|^localhost\//.test(value))
        yield {
          path: `metadata.annotations[${key}]`,
          message: `must not be ${show(value)}`,
          fix: 'allowed are "runtime/default" and "localhost/<profile>"',
        };
  },
};

// policy/check_seccompProfile_baseline.go, from 1.19
const seccompProfile: PodCheck = {
  id: 'seccompProfile_baseline',
  *problems(pod) {
    for (const { path, context } of allContexts(pod))
      if (context.seccompProfile != null && !PROFILES.has(context.seccompProfile.type))
        yield forbiddenProfile(`${path}.seccompProfile.type`, context.seccompProfile.type);
  },
};

/** What is said of a profile that is neither of the two that are allowed. */
export function forbiddenProfile(path: string, type: string) {
  return { path, message: `must not be ${show(type)}`, fix: 'allowed are "RuntimeDefault" and "Localhost"' };
}

/** Whether a seccomp profile is one of the two that are allowed. */
export function isAllowedProfile(type: string): boolean {
  return PROFILES.has(type);
}

const SELINUX_TYPES: ReadonlySet<string> = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);

// policy/check_seLinuxOptions.go, from 1.31
const seLinuxOptions: PodCheck = {
  id: 'seLinuxOptions',
  *problems(pod) {
    for (const { path, context } of allContexts(pod)) {
      const { type = '', user = '', role = '' } = context.seLinuxOptions ?? {};
      const at = `${path}.seLinuxOptions`;
      if (!SELINUX_TYPES.has(type))
        yield {
          path: `${at}.type`,
          message: `must not be ${show(type)}`,
          fix: `allowed are ${[...SELINUX_TYPES].filter(Boolean).join(', ')}`,
        };
      if (user !== '') yield { path: `${at}.user`, message: `must not be ${show(user)}`, fix: REMOVE };
      if (role !== '') yield { path: `${at}.role`, message: `must not be ${show(role)}`, fix: REMOVE };
    }
  },
};

const SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

// policy/check_sysctls.go, from 1.32
const sysctls: PodCheck = {
  id: 'sysctls',
  *problems({ spec }) {
    for (const { name } of spec.securityContext?.sysctls ?? [])
      if (!SYSCTLS.has(name))
        yield { path: `spec.securityContext.sysctls[${name}]`, message: 'is no safe sysctl', fix: REMOVE };
  },
};

// policy/check_windowsHostProcess.go
const windowsHostProcess: PodCheck = {
  id: 'windowsHostProcess',
  *problems(pod) {
    for (const { path, context } of allContexts(pod))
      if (context.windowsOptions?.hostProcess === true)
        yield { path: `${path}.windowsOptions.hostProcess`, message: 'must not be true', fix: REMOVE };
  },
};

/** The checks of the level `baseline` at Kubernetes 1.34. (k8s.io/pod-security-admission v0.34.4) */
export const BASELINE: readonly PodCheck[] = [
  appArmorProfile,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seccompProfile,
  seLinuxOptions,
  sysctls,
  windowsHostProcess,
];
