import { writingFailure, type CheckName } from '../../../fleet/preflight/check-result.ts';
import { preflight } from '../../../fleet/preflight/preflight.ts';
import { runParts } from '../../../fleet/preflight/run-parts.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { jobs } from '../../../kube/resources.ts';
import type { LaunchedJob } from '../../../runs/launch-job.ts';
import type { CliContext } from '../../context.ts';
import { FailedError } from '../../errors.ts';
import { packageVersion } from '../../version.ts';
import { tellFindings } from '../apply/tell-findings.ts';

/** Of the others, `launch` tells of the controller itself, and the creation of the run is its admission. */
const launchChecks: readonly CheckName[] = ['version', 'permissions', 'namespaces', 'quota', 'nodes'];

/**
 * Looks at the cluster that a run is sent to, before it is. What keeps the run from its pods is told; what keeps it from being there at all
 * is an error.
 *
 * @throws FailedError with all of it
 */
export async function checkLaunch(
  context: CliContext,
  client: KubeClient,
  cluster: string,
  job: LaunchedJob,
): Promise<void> {
  const { namespace = client.namespace } = job.metadata;
  const run = { ...job, metadata: { ...job.metadata, namespace } } as KubeObject;
  const manifests = [run, ...(await runParts(client, run))].map((object) => ({ object }));
  const results = await preflight(client, { namespace }, manifests, {
    version: packageVersion(),
    now: Date.now(),
    checks: launchChecks,
    permissions: [{ resource: jobs, verb: 'create', namespace }],
  });
  const failure = writingFailure(results);
  if (failure !== undefined) {
    const { message, fix } = failure;
    throw new FailedError(`Nothing was launched on ${cluster}: ${message}${fix === undefined ? '' : `; ${fix}`}`);
  }
  tellFindings(context, cluster, results);
}
