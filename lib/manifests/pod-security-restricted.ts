import { show, type Problem } from '../values/problems.ts';
import { forbiddenProfile, isAllowedProfile } from './pod-security-baseline.ts';
import { allContexts, containerContexts, type PodCheck } from './pod-security-check.ts';

// policy/check_allowPrivilegeEscalation.go, from 1.25
const allowPrivilegeEscalation: PodCheck = {
  id: 'allowPrivilegeEscalation',
  *problems({ containers, isWindows }) {
    if (isWindows) return;
    for (const { path, container } of containers) {
      const value = container.securityContext?.allowPrivilegeEscalation;
      if (value !== false)
        yield {
          path: `${path}.securityContext.allowPrivilegeEscalation`,
          message: value === true ? 'must not be true' : 'is not set',
          fix: 'set it to false',
        };
    }
  },
};

// policy/check_capabilities_restricted.go, from 1.25
const capabilities: PodCheck = {
  id: 'capabilities_restricted',
  overrides: 'capabilities_baseline',
  *problems({ containers, isWindows }) {
    if (isWindows) return;
    for (const { path, container } of containers) {
      const { drop = [], add = [] } = container.securityContext?.capabilities ?? {};
      const at = `${path}.securityContext.capabilities`;
      if (!drop.includes('ALL'))
        yield {
          path: `${at}.drop`,
          message: drop.length > 0 ? `is ${show(drop)}` : 'is not set',
          fix: 'set it to ["ALL"]',
        };
      for (const capability of add)
        if (capability !== 'NET_BIND_SERVICE')
          yield {
            path: `${at}.add`,
            message: `must not have ${show(capability)}`,
            fix: 'allowed is "NET_BIND_SERVICE"',
          };
    }
  },
};

const VOLUMES: ReadonlySet<string> = new Set([
  ...[
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'image',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ],
]);

// policy/check_restrictedVolumes.go
const restrictedVolumes: PodCheck = {
  id: 'restrictedVolumes',
  overrides: 'hostPathVolumes',
  *problems({ spec }) {
    for (const { name, ...sources } of spec.volumes ?? []) {
      const kinds = Object.keys(sources).filter((kind) => sources[kind as keyof typeof sources] != null);
      // One without a source is an emptyDir by the time that the API server looks. (core/v1/defaults.go)
      if (kinds.length === 0 || kinds.some((kind) => VOLUMES.has(kind))) continue;
      yield {
        path: `spec.volumes[${name}]`,
        message: `must not be of the type ${kinds.join(', ')}`,
        fix: `allowed are ${[...VOLUMES].join(', ')}`,
      };
    }
  },
};

// policy/check_runAsNonRoot.go
const runAsNonRoot: PodCheck = {
  id: 'runAsNonRoot',
  *problems(pod) {
    for (const { path, context } of allContexts(pod))
      if (context.runAsNonRoot === false)
        yield { path: `${path}.runAsNonRoot`, message: 'must not be false', fix: 'set it to true' };
    if (pod.spec.securityContext?.runAsNonRoot !== true)
      for (const { path, container } of pod.containers)
        if (container.securityContext?.runAsNonRoot == null)
          yield {
            path: `${path}.securityContext.runAsNonRoot`,
            message: 'is not set',
            fix: 'set it to true, here or in spec.securityContext',
          };
  },
};

// policy/check_runAsUser.go, from 1.23
const runAsUser: PodCheck = {
  id: 'runAsUser',
  *problems(pod) {
    for (const { path, context } of allContexts(pod))
      if (context.runAsUser === 0)
        yield { path: `${path}.runAsUser`, message: 'must not be 0, which is root', fix: 'name another user, or none' };
  },
};

// policy/check_seccompProfile_restricted.go, from 1.25
const seccompProfile: PodCheck = {
  id: 'seccompProfile_restricted',
  overrides: 'seccompProfile_baseline',
  problems: (pod) => (pod.isWindows ? [] : [...seccompProblems(pod)]),
};

function* seccompProblems(pod: Parameters<PodCheck['problems']>[0]): Generator<Problem> {
  const own = pod.spec.securityContext?.seccompProfile;
  if (own != null && !isAllowedProfile(own.type))
    yield forbiddenProfile('spec.securityContext.seccompProfile.type', own.type);
  for (const { path, context } of containerContexts(pod))
    if (context.seccompProfile != null && !isAllowedProfile(context.seccompProfile.type))
      yield forbiddenProfile(`${path}.seccompProfile.type`, context.seccompProfile.type);
  if (own != null) return;
  for (const { path, container } of pod.containers)
    if (container.securityContext?.seccompProfile == null)
      yield {
        path: `${path}.securityContext.seccompProfile`,
        message: 'is not set',
        fix: 'set its type to "RuntimeDefault", here or in spec.securityContext',
      };
}

/** The checks that the level `restricted` adds at Kubernetes 1.34. (k8s.io/pod-security-admission v0.34.4) */
export const RESTRICTED: readonly PodCheck[] = [
  allowPrivilegeEscalation,
  capabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
];
