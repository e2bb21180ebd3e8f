import { describe, expectTypeOf, it } from 'vitest';
import type { V1Toleration } from '@kubernetes/client-node/dist/gen/models/V1Toleration.js';
import type { V1EnvVar } from '@kubernetes/client-node/dist/gen/models/V1EnvVar.js';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';

const override = (given: PodTemplateOverride): PodTemplateOverride => given;

describe('an override', () => {
  it('may be a function of what it inherits, at any field', () => {
    override({
      metadata: { labels: { a: (inherited) => `${inherited ?? ''}-x` } },
      spec: {
        hostNetwork: (inherited) => {
          expectTypeOf(inherited).toEqualTypeOf<boolean | undefined>();
          return !inherited;
        },
        tolerations: (inherited) => {
          expectTypeOf(inherited).toEqualTypeOf<V1Toleration[] | undefined>();
          return [...(inherited ?? []), { key: 'a100', operator: 'Exists' }];
        },
        containers: [
          {
            name: 'main',
            env: (inherited) => {
              expectTypeOf(inherited).toEqualTypeOf<V1EnvVar[] | undefined>();
              return inherited?.filter(({ name }) => name !== 'DEBUG');
            },
            args: () => null,
          },
        ],
      },
    });
  });

  it('must give what the field holds', () => {
    // @ts-expect-error -- a list, not one toleration
    override({ spec: { tolerations: () => ({ key: 'a' }) } });
    // @ts-expect-error -- a boolean, not text
    override({ spec: { hostNetwork: () => 'yes' } });
  });

  it('removes by null and takes directives', () => {
    override({
      spec: {
        nodeSelector: { $patch: 'replace', gpu: null },
        volumes: [{ name: 'old', $patch: 'delete' }, { $patch: 'replace' }],
        $retainKeys: ['containers'],
        '$setElementOrder/containers': [{ name: 'main' }],
        containers: [{ name: 'main', '$deleteFromPrimitiveList/args': ['-v'] }],
      },
    });
    // @ts-expect-error -- no such mode
    override({ spec: { affinity: { $patch: 'remove' } } });
    // @ts-expect-error -- no such list
    override({ spec: { '$setElementOrder/container': [] } });
  });

  it('has no fields that a pod has not', () => {
    // @ts-expect-error -- comand
    override({ spec: { containers: [{ name: 'main', comand: ['x'] }] } });
    // @ts-expect-error -- nodeSelektor
    override({ spec: { nodeSelektor: {} } });
    // @ts-expect-error -- a number, not text
    override({ spec: { nodeSelector: { gpu: 1 } } });
  });

  it('may be a whole template', () => {
    expectTypeOf<PodTemplate>().toExtend<PodTemplateOverride>();
  });
});
