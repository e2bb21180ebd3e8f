import type { IResource } from 'cdk8s-plus-28';

/** The name of an object that is given by its name, or as the construct of cdk8s-plus that makes it. */
export function objectName(object: string | { readonly name: string }): string {
  return typeof object === 'object' && 'name' in object ? object.name : object;
}

/** Whether an object is given as a construct, and not by its name or as Kubernetes' own type writes it. */
export function isConstruct<T extends object>(value: T | IResource): value is IResource {
  return 'node' in value;
}
