/** The parts of an image's name. */
export interface ImageName {
  readonly tag?: string;
  readonly digest?: string;
}

/** Takes `registry:5000/team/etl:1.4@sha256:...` apart. A colon before the last slash is the port of a registry. */
export function parseImage(image: string): ImageName {
  const [name, digest] = image.split('@') as [string, string | undefined];
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return { ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}
