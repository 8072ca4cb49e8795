import { EdgeCoreError } from '../../errors.ts';

/** What an image stands for where there are no images: a program of this host. */
export interface ImageProgram {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
}

/** `pods.runtimeOptions` of the runtime `process`. */
export interface ProcessOptions {
  /** Programs by the name of an image, as pods write it. */
  readonly images: ReadonlyMap<string, ImageProgram>;
  /** `auto`: mounts in a namespace where that can be had. `links`: never. */
  readonly mounts: 'auto' | 'links';
}

const NAMES = ['images', 'mounts'];
const IMAGE_NAMES = ['command', 'args', 'env', 'workingDir'];

/** @throws EdgeCoreError `ERR_EDGECORE_RUNTIME_OPTIONS`, naming every problem */
export function readProcessOptions(value: Readonly<Record<string, unknown>>): ProcessOptions {
  const problems = unknownNames(value, NAMES, 'pods.runtimeOptions');
  const { mounts = 'auto', images = {} } = value;
  if (mounts !== 'auto' && mounts !== 'links')
    problems.push('pods.runtimeOptions.mounts: must be auto or links');
  if (!isRecord(images))
    problems.push('pods.runtimeOptions.images: must be programs by the name of an image');
  const programs = new Map<string, ImageProgram>();
  for (const [name, image] of Object.entries(isRecord(images) ? images : {})) {
    const program = readProgram(image, `pods.runtimeOptions.images.${name}`, problems);
    if (program !== undefined) programs.set(name, program);
  }
  if (problems.length > 0) throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_OPTIONS', problems.join('; '));
  return { images: programs, mounts: mounts === 'links' ? 'links' : 'auto' };
}

function readProgram(value: unknown, at: string, problems: string[]): ImageProgram | undefined {
  if (!isRecord(value)) {
    problems.push(`${at}: must be {command, args, env, workingDir}`);
    return undefined;
  }
  const { command, args = [], env = {}, workingDir = '' } = value;
  const found = unknownNames(value, IMAGE_NAMES, at);
  if (!isTexts(command) || command.length === 0) found.push(`${at}.command: must be a list of texts`);
  if (!isTexts(args)) found.push(`${at}.args: must be a list of texts`);
  if (!isRecord(env) || !isTexts(Object.values(env))) found.push(`${at}.env: must be texts by name`);
  if (typeof workingDir !== 'string') found.push(`${at}.workingDir: must be a text`);
  problems.push(...found);
  return found.length > 0 ? undefined : ({ command, args, env, workingDir } as ImageProgram); // each was looked at
}

function unknownNames(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  at: string,
): string[] {
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  return unknown.map((name) => `${at}.${name}: there is no such option`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
