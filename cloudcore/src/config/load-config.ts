import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { isPlainObject } from '@hawser/kube';
import type { z } from 'zod';
import { CloudCoreError } from '../errors.ts';
import { configSchema, type CloudCoreConfig } from './schema.ts';

/**
 * Checks a configuration and fills in the defaults.
 * @param about where it came from, for the message
 * @throws CloudCoreError `ERR_CLOUDCORE_CONFIG` naming all problems with their paths
 */
export function checkConfig(value: unknown, about: string): CloudCoreConfig {
  const result = configSchema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(problem);
  throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', `${about}: ${problems.join('; ')}`);
}

/**
 * Reads a configuration file (YAML) without checking what is in it; an empty file is an empty configuration.
 * @throws CloudCoreError `ERR_CLOUDCORE_CONFIG` when it cannot be read, or is no YAML mapping
 */
export async function readConfigFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = parse(await readFile(file, 'utf8')) ?? {};
  } catch (cause) {
    const message = `the configuration ${file} cannot be read: ${(cause as Error).message}`;
    throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', message, { cause });
  }
  if (isPlainObject(value)) return value;
  throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', `the configuration ${file} is no mapping of options`);
}

function problem(issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String).join('.');
  return at === '' ? issue.message : `${at}: ${issue.message}`;
}
