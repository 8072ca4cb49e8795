import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
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
 * Reads a configuration file (YAML).
 * @throws CloudCoreError `ERR_CLOUDCORE_CONFIG` when it cannot be read, is no YAML, or has problems
 */
export async function loadConfig(file: string): Promise<CloudCoreConfig> {
  let value: unknown;
  try {
    value = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const message = `the configuration ${file} cannot be read: ${(cause as Error).message}`;
    throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', message, { cause });
  }
  return checkConfig(value, file);
}

function problem(issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String).join('.');
  return at === '' ? issue.message : `${at}: ${issue.message}`;
}
