/** A name of an image, taken apart. */
export interface ImageName {
  /** `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  /** Below the registry: `library/busybox`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest were named. */
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
  /** The name as it was written, with `:latest` where it has neither tag nor digest: what a runtime is asked for. */
  readonly written: string;
  /** The whole name, the same for every way to write it: `docker.io/library/busybox:latest`. */
  readonly full: string;
}

const DEFAULT_REGISTRY = 'docker.io';
const OFFICIAL = 'library/';
const MAX_NAME_LENGTH = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

/**
 * Reads the name of an image.
 * Source: distribution/reference, regexp.go and normalize.go; kubelet, util/parsers.
 * @throws SyntaxError that says what is wrong with it
 */
export function parseImageName(text: string): ImageName {
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) throw wrong(text, 'invalid digest');
  if (IDENTIFIER.test(named)) throw wrong(text, 'a name cannot be 64 hexadecimal digits');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) throw wrong(text, 'invalid tag');
  const { registry, repository } = split(path);
  if (/[A-Z]/.test(repository)) throw wrong(text, 'repository name must be lowercase');
  if (!REGISTRY.test(registry) || !REPOSITORY.test(repository)) throw wrong(text, 'invalid reference format');
  if (registry.length + repository.length + 1 > MAX_NAME_LENGTH) throw wrong(text, 'the name is too long');
  const usedTag = tag ?? (digest === undefined ? 'latest' : undefined);
  const ending = `${usedTag === undefined ? '' : `:${usedTag}`}${digest === undefined ? '' : `@${digest}`}`;
  return {
    registry,
    repository,
    ...(usedTag === undefined ? {} : { tag: usedTag }),
    ...(digest === undefined ? {} : { digest }),
    written: tag === undefined && digest === undefined ? `${text}:latest` : text,
    full: `${registry}/${repository}${ending}`,
  };
}

/** The whole name of an image, or the text itself where it is none: an id, a digest. */
export function fullImageName(text: string): string {
  try {
    return parseImageName(text).full;
  } catch {
    return text; // ids are no names
  }
}

/** The first part is a registry if it looks like the name of a machine. */
function split(path: string): { readonly registry: string; readonly repository: string } {
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const isRegistry = /[.:A-Z]/.test(first) || first === 'localhost';
  const registry = !isRegistry || first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  const repository = isRegistry ? path.slice(slash + 1) : path;
  const isOfficial = registry === DEFAULT_REGISTRY && !repository.includes('/');
  return { registry, repository: isOfficial ? `${OFFICIAL}${repository}` : repository };
}

function wrong(text: string, problem: string): SyntaxError {
  return new SyntaxError(`couldn't parse image name "${text}": ${problem}`);
}
