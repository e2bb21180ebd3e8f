import { Secret } from 'cdk8s-plus-28';
import { WorkflowController, type WorkflowTrigger } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { find, synth, synthProblems } from './support.ts';

function controller(trigger?: WorkflowTrigger) {
  const manifests = synth((chart) => void new WorkflowController(chart, 'controller', trigger ? { trigger } : {}));
  const [container] = find(manifests, 'Deployment').spec.template.spec.containers;
  return { manifests, container, kinds: manifests.map(({ kind }) => kind) };
}

describe('the trigger of a controller', () => {
  it('is off, without a Service and without permissions, when nothing is said', () => {
    const { container, kinds } = controller();
    expect(container.args.filter((arg: string) => arg.includes('trigger'))).toEqual([]);
    expect(container.ports).toHaveLength(1);
    expect(kinds).not.toContain('Service');
    expect(kinds).not.toContain('ClusterRole');
  });

  it('has a Service that leads to a port of the pod, and may ask whose tokens are and what they may do', () => {
    const { manifests, container } = controller({});
    expect(container.args).toContain('--trigger-port=8090');
    expect(container.ports).toContainEqual({ name: 'trigger', containerPort: 8090 });
    expect(find(manifests, 'Service')).toMatchObject({
      metadata: { name: 'cdk8s-workflows-trigger' },
      spec: {
        selector: find(manifests, 'Deployment').spec.selector.matchLabels,
        ports: [{ name: 'trigger', port: 80, targetPort: 'trigger', appProtocol: 'http' }],
      },
    });
    expect(find(manifests, 'ClusterRole').rules).toEqual([
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]);
  });

  it('has its certificate from a Secret', () => {
    const manifests = synth((chart) => {
      const tlsSecret = Secret.fromSecretName(chart, 'tls', 'trigger-tls');
      new WorkflowController(chart, 'controller', { trigger: { tlsSecret, audience: 'acme', requestsPerSecond: 2 } });
    });
    const { spec } = find(manifests, 'Deployment').spec.template;
    expect(spec.containers[0].args).toEqual(
      expect.arrayContaining([
        '--trigger-audience=acme',
        '--trigger-rate=2',
        '--trigger-tls-cert=/etc/cdk8s-workflows/trigger/tls.crt',
        '--trigger-tls-key=/etc/cdk8s-workflows/trigger/tls.key',
      ]),
    );
    expect(spec.volumes).toContainEqual({ name: 'trigger-tls', secret: { secretName: 'trigger-tls' } });
    expect(find(manifests, 'Service').spec.ports[0]).toMatchObject({ port: 443, appProtocol: 'https' });
  });

  it('is told what is wrong with it', () => {
    const trigger = { audience: '', requestsPerSecond: 0 };
    const problems = synthProblems((chart) => void new WorkflowController(chart, 'controller', { trigger }));
    expect(problems).toEqual([
      expect.stringContaining('trigger.audience: is empty'),
      expect.stringContaining('trigger.requestsPerSecond: must be a whole number from 1, not 0'),
    ]);
  });
});
