import { show, type Problem } from '../values/problems.ts';
import { containersOf } from './containers.ts';
import { parseImage } from './image.ts';
import { rule, type Rule } from './rule.ts';
import type { PodTemplateSpec } from './workload.ts';

/** How an image must be named: by a digest, which never changes, or at least by a tag. */
export type ImagePin = 'tag' | 'digest';

/**
 * Every image must be named by a digest, or by a tag that says which version it is (`latest` says none).
 *
 * @example
 * validateManifests(app, { rules: [pinnedImages('digest')] });
 */
export function pinnedImages(by: ImagePin): Rule {
  return rule(`pinnedImages ${by}`, function* (template) {
    for (const [path, image] of images(template)) {
      const { tag, digest } = parseImage(image);
      if (digest !== undefined) continue;
      if (by === 'digest')
        yield { path, message: `${show(image)} has no digest`, fix: `write ${show(`${image}@sha256:...`)}` };
      else if (tag === undefined || tag === 'latest') yield unversioned(path, image, tag);
    }
  });
}

/** No image may be `latest`, by its tag or because it has none: what runs would change without a change of the manifest. */
export function noLatest(): Rule {
  return rule('noLatest', function* (template) {
    for (const [path, image] of images(template)) {
      const { tag, digest } = parseImage(image);
      if (digest === undefined && (tag === undefined || tag === 'latest')) yield unversioned(path, image, tag);
    }
  });
}

function unversioned(path: string, image: string, tag: string | undefined): Problem {
  const message =
    tag === undefined ? `${show(image)} has no tag, which means latest` : `${show(image)} is the tag latest`;
  return { path, message, fix: 'name a version' };
}

function* images(template: PodTemplateSpec): Generator<readonly [path: string, image: string]> {
  for (const { path, container } of containersOf(template))
    if (container.image !== undefined) yield [`${path}.image`, container.image];
  for (const { name, image } of template.spec?.volumes ?? [])
    if (image?.reference !== undefined) yield [`spec.volumes[${name}].image.reference`, image.reference];
}
