import type { Duration } from 'cdk8s';
import type { PodTemplateOverride } from '../template.ts';

type Texts = Readonly<Record<string, string | null>>;

/** What else is said of a pod as a whole. */
export interface PodFields {
  /** Labels of the pod, merged with inherited ones; `null` removes one. @default ours */
  readonly labels?: Texts;
  /** Annotations of the pod, merged with inherited ones; `null` removes one. @default none */
  readonly annotations?: Texts;
  /** How long its containers may take to end when they are told to; rounded up to seconds. @default 30 seconds */
  readonly terminationGracePeriod?: Duration | null;
  /**
   * Names of hosts by address, for the pod's own hosts file; `null` removes those of an address. @default none
   *
   * @example
   * hostAliases: { '10.0.0.7': ['licenses.acme.example'] }
   */
  readonly hostAliases?: Readonly<Record<string, readonly string[] | null>>;
}

export function podFields(settings: PodFields): PodTemplateOverride | undefined {
  const { labels, annotations, terminationGracePeriod: grace, hostAliases } = settings;
  const metadata = {
    ...(labels !== undefined && { labels: { ...labels } }),
    ...(annotations !== undefined && { annotations: { ...annotations } }),
  };
  const spec = {
    ...(grace !== undefined && {
      terminationGracePeriodSeconds: grace && Math.ceil(grace.toMilliseconds() / 1000),
    }),
    ...(hostAliases !== undefined && {
      hostAliases: Object.entries(hostAliases).map(([ip, hostnames]) =>
        hostnames === null ? { ip, $patch: 'delete' as const } : { ip, hostnames: [...hostnames] },
      ),
    }),
  };
  if (Object.keys(metadata).length + Object.keys(spec).length === 0) return undefined;
  return {
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(Object.keys(spec).length > 0 && { spec }),
  };
}
