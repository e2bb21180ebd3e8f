import { clusterFlags, withCluster } from '../cluster/cluster-session.ts';
import type { GcOptions } from '../commands/gc.ts';
import type { CliContext } from '../context.ts';
import { deleteOldVersions, findOldVersions, type OldObject } from '../../controller/version-sweep.ts';
import { confirm } from '../terminal/confirm.ts';
import { formatAge } from '../terminal/duration.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { formatTable, type Column } from '../terminal/table.ts';

/** Deletes the versions of workflows that nothing uses. */
export async function gc(context: CliContext, options: GcOptions): Promise<void> {
  const { out, err } = context;
  await withCluster(options, (client) =>
    interruptible(async (signal) => {
      const namespace = options.allNamespaces ? null : client.namespace;
      const { keep, dryRun = false } = options;
      const query = { namespace, now: Date.now(), signal, ...(keep !== undefined && { revisionHistoryLimit: keep }) };
      const { objects, unreadable } = await findOldVersions(client, query);
      for (const graph of unreadable)
        err.line(
          `${err.colors.yellow('warning:')} the graph ${graph} cannot be read, so nothing in its namespace is deleted`,
        );
      const where = namespace === null ? 'in all namespaces' : `in namespace ${namespace}`;
      if (objects.length > 0 && !dryRun && !options.yes) {
        err.write(formatTable(columns(options), objects));
        const question = `Delete ${objects.length} objects ${where}${clusterFlags(options)}?`;
        if (!(await confirm(context, question, '--yes, or --dry-run to see what it would delete'))) return;
      }
      const gone = dryRun ? objects : await deleteOldVersions(client, objects, signal);
      if (options.output === 'json') return out.json(gone.map(documentOf));
      if (gone.length === 0) return out.line(`Nothing to delete ${where}`);
      if (dryRun || options.yes) out.write(formatTable(columns(options), gone));
      out.line(`${gone.length} objects ${dryRun ? 'would be ' : ''}deleted`);
    }),
  );
}

function columns({ allNamespaces }: GcOptions): Column<OldObject>[] {
  const now = Date.now();
  return [
    ...(allNamespaces ? [{ header: 'NAMESPACE', value: ({ namespace }: OldObject) => namespace }] : []),
    { header: 'WORKFLOW', value: ({ workflow }) => workflow },
    { header: 'KIND', value: ({ kind }) => kind },
    { header: 'NAME', value: ({ name }) => name },
    { header: 'AGE', value: ({ createdAt }) => formatAge(new Date(createdAt).toISOString(), now) },
  ];
}

function documentOf({ kind, namespace, name, workflow, createdAt }: OldObject): object {
  return { kind, namespace, name, workflow, createdAt: new Date(createdAt).toISOString() };
}
