import type { KubeClient } from '../../kube/client.ts';
import { applyCluster } from '../apply/apply-cluster.ts';
import type { AppliedObject, Manifest } from '../apply/apply-result.ts';
import type { InventoryRef } from '../apply/applyset.ts';
import { checked, failed, skipped, type CheckResult } from './check-result.ts';

/** What is to be let in, and where. */
export interface AdmissionOptions {
  readonly namespace: string;
  /** The inventory that they would be written to. @default none */
  readonly inventory?: InventoryRef;
  /** Namespaces that are known not to be there: what goes into them is not asked about. */
  readonly passOver: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** Lets the API server and its admission look at every object, by a dry run of the apply. Other fields' owners count, too. */
export async function checkAdmission(
  client: KubeClient,
  manifests: readonly Manifest[],
  { namespace, inventory, passOver, signal }: AdmissionOptions,
): Promise<CheckResult> {
  const asked = manifests.filter(({ object }) => !passOver.has(object.metadata?.namespace ?? namespace));
  if (asked.length === 0 && manifests.length > 0) return skipped('admission', 'no namespace');
  const how = { namespace, signal, ...(inventory && { inventory }) };
  // What has left the directory is no matter of admission.
  const result = await applyCluster(client, asked, { ...how, prune: false, dryRun: true });
  if (result.failure) return checked('admission', [failed(result.failure.message, result.failure.fix)]);
  const looked = result.objects.filter(({ outcome }) => outcome !== 'kept');
  const refused = looked.filter(({ failure }) => failure !== undefined);
  // One sentence for what is refused for one reason, such as a webhook that is down.
  const byReason = Map.groupBy(refused, ({ failure }) => `${failure!.message}; ${failure!.fix ?? ''}`);
  const findings = [...byReason.values()].map((objects) => {
    const { message, fix } = objects[0]!.failure!;
    const more = objects.length > 1 ? ` and ${objects.length - 1} more` : '';
    return failed(`${nameOf(objects[0]!)}${more}: ${message}`, fix);
  });
  const detail = `${looked.length - refused.length} of ${manifests.length}`;
  return checked('admission', findings, detail);
}

function nameOf({ kind, namespace, name, source }: AppliedObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${source === undefined ? '' : ` (${source})`}`;
}
