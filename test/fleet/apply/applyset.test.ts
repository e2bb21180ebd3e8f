import { describe, expect, it } from 'vitest';
import { applySetId, inventoryId, isOurs, parentManifest, readInventory } from '../../../lib/fleet/apply/applyset.ts';
import { inventoryProblem } from '../../../lib/fleet/apply/inventory-checks.ts';

const ref = { name: 'acme', namespace: 'etl', cluster: 'prod' };
const scope = { groupKinds: new Set(['CronJob.batch', 'ConfigMap']), namespaces: new Set(['etl', 'other', 'apart']) };
const parent = parentManifest(ref, scope, '1.2.3');

describe('an inventory', () => {
  it('is the parent of an ApplySet, with an id that follows from its name', () => {
    expect(parent).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'applyset-acme',
        namespace: 'etl',
        labels: {
          'app.kubernetes.io/managed-by': 'cdk8s-workflows',
          'cdk8s-workflows.dev/content': 'inventory',
          'applyset.kubernetes.io/id': inventoryId(ref),
        },
        annotations: {
          'applyset.kubernetes.io/tooling': 'cdk8s-workflows/v1.2.3',
          'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,CronJob.batch',
          'applyset.kubernetes.io/additional-namespaces': 'apart,other',
          'cdk8s-workflows.dev/fleet': 'acme',
          'cdk8s-workflows.dev/cluster': 'prod',
        },
      },
    });
    // `printf my-set.default.Secret. | sha256sum`, in base64url, as kubectl computes it.
    const id = applySetId({ name: 'my-set', namespace: 'default', kind: 'Secret', group: '' });
    expect(id).toBe('applyset-kdySOVBWs584aaOTmku9Ul1xDuN7LXBjs-R96jQcisk-v1');
    expect(id).toMatch(/^[a-zA-Z0-9][\w-]{0,61}[a-zA-Z0-9]$/);
  });

  it('is read as it was written', () => {
    const found = readInventory(parent)!;
    expect(found).toMatchObject({ id: inventoryId(ref), fleet: 'acme', cluster: 'prod', ...scope });
    expect(isOurs(found)).toBe(true);
    expect(inventoryProblem(parent, ref)).toBeUndefined();
  });

  const changed = (labels: object, annotations: object) => ({
    ...parent,
    metadata: {
      ...parent.metadata,
      labels: { ...parent.metadata.labels, ...labels },
      annotations: { ...parent.metadata.annotations, ...annotations },
    },
  });

  it.each([
    ['a ConfigMap that is none', { ...parent, metadata: { name: 'applyset-acme' } }, 'is no inventory of this name'],
    ['one with the id of another', changed({ 'applyset.kubernetes.io/id': 'x' }, {}), 'is no inventory of this name'],
    [
      'one of another tool',
      changed({}, { 'applyset.kubernetes.io/tooling': 'kubectl/v1.34.0' }),
      'is kept by "kubectl"',
    ],
    [
      'one of another fleet',
      changed({}, { 'cdk8s-workflows.dev/fleet': 'other' }),
      'is of the fleet "other", and the directory of "acme"',
    ],
    [
      'one of another cluster',
      changed({}, { 'cdk8s-workflows.dev/cluster': 'test' }),
      'was applied for the cluster "test", and the directory is for the cluster "prod"',
    ],
  ])('is not used when it is %s', (_, found, message) => {
    expect(inventoryProblem(found as never, ref)?.message).toContain(message);
  });
});
