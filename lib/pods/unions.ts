import { fieldNames, unionLists } from './pod-schema.ts';

// The OpenAPI document marks only volumes and resource claims as unions (by the strategy retainKeys). Of these
// others the API server refuses two members too, in pkg/apis/core/validation: validateEnvVarValueFrom and validateHandler.
const handlers = ['exec', 'grpc', 'httpGet', 'sleep', 'tcpSocket'];
const unmarked: Readonly<Record<string, readonly string[]>> = {
  EnvVar: ['value', 'valueFrom'],
  EnvVarSource: fieldNames('EnvVarSource'),
  Probe: handlers.filter((handler) => fieldNames('Probe').includes(handler)),
  LifecycleHandler: handlers.filter((handler) => fieldNames('LifecycleHandler').includes(handler)),
};

const unions: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(unmarked),
  ...unionLists().map(({ type, key }) => [type, fieldNames(type).filter((field) => field !== key)] as const),
]);

/** The fields of a type of which only one may be set, such as the sources of a volume. */
export function unionMembers(type: string | undefined): readonly string[] | undefined {
  return type === undefined ? undefined : unions.get(type);
}
