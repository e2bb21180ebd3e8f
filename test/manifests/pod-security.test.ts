import { describe, expect, it } from 'vitest';
import { CHECKS, podSecurity } from '../../lib/manifests/pod-security.ts';
import { template, violations } from './support.ts';

const context = (securityContext: object) => template({ securityContext });
const podContext = (securityContext: object) => template({}, { securityContext });
const at = 'spec.containers[main].securityContext';
const only = (fields: string) => `allowed are ${fields}`;

describe('podSecurity baseline', () => {
  it.each([
    ['hostNamespaces', template({}, { hostPID: true }), 'spec.hostPID: must not be true', 'remove it'],
    [
      'hostPathVolumes',
      template({}, { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] }),
      'spec.volumes[v].hostPath: "/etc" is a path of the node',
      'use an emptyDir or a persistentVolumeClaim',
    ],
    [
      'hostPorts',
      template({
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 0 },
        ],
      }),
      'spec.containers[main].ports[80].hostPort: must not be 8080',
      'remove it',
    ],
    [
      'hostProbesAndHostLifecycle',
      template({
        livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } },
        readinessProbe: { httpGet: { port: 80, host: '' } },
      }),
      'spec.containers[main].livenessProbe.httpGet.host: must not be "169.254.169.254"',
      'remove it',
    ],
    [
      'hostProbesAndHostLifecycle',
      template({ lifecycle: { preStop: { tcpSocket: { port: 80, host: 'x' } } } }),
      'spec.containers[main].lifecycle.preStop.tcpSocket.host: must not be "x"',
      'remove it',
    ],
    ['privileged', context({ privileged: true }), `${at}.privileged: must not be true`, 'remove it'],
    [
      'capabilities_baseline',
      context({ capabilities: { add: ['CHOWN', 'NET_RAW'] } }),
      `${at}.capabilities.add: must not have "NET_RAW"`,
      only(
        'AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT',
      ),
    ],
    [
      'procMount',
      context({ procMount: 'Unmasked' }),
      `${at}.procMount: must not be "Unmasked"`,
      'allowed is "Default"',
    ],
    [
      'appArmorProfile',
      podContext({ appArmorProfile: { type: 'Unconfined' } }),
      'spec.securityContext.appArmorProfile.type: must not be "Unconfined"',
      only('"RuntimeDefault" and "Localhost"'),
    ],
    [
      'appArmorProfile',
      template(
        {},
        {},
        { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined', a: 'b' } },
      ),
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/main]: must not be "unconfined"',
      only('"runtime/default" and "localhost/<profile>"'),
    ],
    [
      'seccompProfile_baseline',
      context({ seccompProfile: { type: 'Unconfined' } }),
      `${at}.seccompProfile.type: must not be "Unconfined"`,
      only('"RuntimeDefault" and "Localhost"'),
    ],
    [
      'seLinuxOptions',
      context({ seLinuxOptions: { type: 'spc_t' } }),
      `${at}.seLinuxOptions.type: must not be "spc_t"`,
      only('container_t, container_init_t, container_kvm_t, container_engine_t'),
    ],
    [
      'seLinuxOptions',
      context({ seLinuxOptions: { user: 'u' } }),
      `${at}.seLinuxOptions.user: must not be "u"`,
      'remove it',
    ],
    [
      'sysctls',
      podContext({
        sysctls: [
          { name: 'kernel.msgmax', value: '1' },
          { name: 'net.ipv4.tcp_rmem', value: '1' },
        ],
      }),
      'spec.securityContext.sysctls[kernel.msgmax]: is no safe sysctl',
      'remove it',
    ],
    [
      'windowsHostProcess',
      podContext({ windowsOptions: { hostProcess: true } }),
      'spec.securityContext.windowsOptions.hostProcess: must not be true',
      'remove it',
    ],
  ])('%s: %#', (check, of, message, fix) => {
    expect(violations(podSecurity('baseline'), of)).toEqual([`${message} (podSecurity baseline: ${check}); ${fix}`]);
  });

  it('lets an ordinary pod pass, and one that sets everything to what is allowed', () => {
    expect(violations(podSecurity('baseline'), template())).toEqual([]);
    const allowed = {
      privileged: false,
      procMount: 'Default',
      capabilities: { add: ['CHOWN'] },
      appArmorProfile: { type: 'Localhost', localhostProfile: 'x' },
      seccompProfile: { type: 'RuntimeDefault' },
      seLinuxOptions: { type: 'container_engine_t', level: 's0', user: '', role: '' },
      windowsOptions: { hostProcess: false },
    };
    expect(violations(podSecurity('baseline'), template({ securityContext: allowed }, { hostNetwork: false }))).toEqual(
      [],
    );
  });
});

const safe = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const safePod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
const restricted = (container: object = {}, pod: object = {}, spec: object = {}) =>
  template({ securityContext: { ...safe, ...container } }, { securityContext: { ...safePod, ...pod }, ...spec });

describe('podSecurity restricted', () => {
  it.each([
    [
      'allowPrivilegeEscalation',
      restricted({ allowPrivilegeEscalation: undefined }),
      `${at}.allowPrivilegeEscalation: is not set`,
      'set it to false',
    ],
    [
      'allowPrivilegeEscalation',
      restricted({ allowPrivilegeEscalation: true }),
      `${at}.allowPrivilegeEscalation: must not be true`,
      'set it to false',
    ],
    [
      'capabilities_restricted',
      restricted({ capabilities: undefined }),
      `${at}.capabilities.drop: is not set`,
      'set it to ["ALL"]',
    ],
    [
      'capabilities_restricted',
      restricted({ capabilities: { drop: ['KILL'] } }),
      `${at}.capabilities.drop: is ["KILL"]`,
      'set it to ["ALL"]',
    ],
    [
      'capabilities_restricted',
      restricted({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CHOWN'] } }),
      `${at}.capabilities.add: must not have "CHOWN"`,
      'allowed is "NET_BIND_SERVICE"',
    ],
    [
      'restrictedVolumes',
      restricted(
        {},
        {},
        { volumes: [{ name: 'v', hostPath: { path: '/' } }, { name: 'w' }, { name: 'x', emptyDir: {} }] },
      ),
      'spec.volumes[v]: must not be of the type hostPath',
      only('configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret'),
    ],
    [
      'runAsNonRoot',
      restricted({}, { runAsNonRoot: undefined }),
      `${at}.runAsNonRoot: is not set`,
      'set it to true, here or in spec.securityContext',
    ],
    [
      'runAsNonRoot',
      restricted({ runAsNonRoot: true }, { runAsNonRoot: false }),
      'spec.securityContext.runAsNonRoot: must not be false',
      'set it to true',
    ],
    ['runAsNonRoot', restricted({ runAsNonRoot: false }), `${at}.runAsNonRoot: must not be false`, 'set it to true'],
    [
      'runAsUser',
      restricted({ runAsUser: 0 }, { runAsUser: 5 }),
      `${at}.runAsUser: must not be 0, which is root`,
      'name another user, or none',
    ],
    [
      'seccompProfile_restricted',
      restricted({}, { seccompProfile: undefined }),
      `${at}.seccompProfile: is not set`,
      'set its type to "RuntimeDefault", here or in spec.securityContext',
    ],
    [
      'seccompProfile_restricted',
      restricted({}, { seccompProfile: { type: 'Unconfined' } }),
      'spec.securityContext.seccompProfile.type: must not be "Unconfined"',
      only('"RuntimeDefault" and "Localhost"'),
    ],
    ['privileged', restricted({ privileged: true }), `${at}.privileged: must not be true`, 'remove it'],
  ])('%s: %#', (check, of, message, fix) => {
    expect(violations(podSecurity('restricted'), of)).toEqual([
      `${message} (podSecurity restricted: ${check}); ${fix}`,
    ]);
  });

  it('lets a pod pass that sets what it must, in the pod or in every container', () => {
    expect(violations(podSecurity('restricted'), restricted())).toEqual([]);
    const own = template({ securityContext: { ...safe, ...safePod } });
    expect(violations(podSecurity('restricted'), own)).toEqual([]);
  });

  it('lets Windows pods off what Windows has not', () => {
    const windows = template({}, { os: { name: 'windows' }, securityContext: { runAsNonRoot: true } });
    expect(violations(podSecurity('restricted'), windows)).toEqual([]);
  });

  it('looks into init containers as well', () => {
    const of = template({}, { initContainers: [{ name: 'init', securityContext: { privileged: true } }] });
    expect(violations(podSecurity('baseline'), of)[0]).toMatch(
      /^spec\.initContainers\[init\]\.securityContext\.privileged/,
    );
  });

  it('has the checks of Kubernetes 1.34, each once', () => {
    const ids = (level: keyof typeof CHECKS) => CHECKS[level].map(({ id }) => id).sort();
    expect(ids('baseline')).toHaveLength(12);
    expect(ids('restricted')).toEqual(
      [
        ...ids('baseline').filter(
          (id) => !['capabilities_baseline', 'hostPathVolumes', 'seccompProfile_baseline'].includes(id),
        ),
        ...[
          'allowPrivilegeEscalation',
          'capabilities_restricted',
          'restrictedVolumes',
          'runAsNonRoot',
          'runAsUser',
          'seccompProfile_restricted',
        ],
      ].sort(),
    );
  });
});
