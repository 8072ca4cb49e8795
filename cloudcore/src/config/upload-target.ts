import { readFile } from 'node:fs/promises';
import { CloudCoreError } from '../errors.ts';
import type { UploadTarget } from '../upstream/upload-writer.ts';
import type { CloudCoreConfig } from './schema.ts';

/**
 * Where uploads go, with the files that the options name.
 * Errors: CloudCoreError `ERR_CLOUDCORE_CONFIG` for a file that cannot be read
 */
export async function uploadTarget(options: CloudCoreConfig['uploads']): Promise<UploadTarget> {
  const { url, caFile, certFile, keyFile, timeoutSeconds, maxInFlight } = options;
  return {
    ...{ url, maxInFlight, timeoutMs: timeoutSeconds * 1000 },
    ca: await pem('uploads.caFile', caFile),
    cert: await pem('uploads.certFile', certFile),
    key: await pem('uploads.keyFile', keyFile),
  };
}

async function pem(option: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `${option}: ${file} cannot be read: ${(cause as Error).message}`;
    throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', message, { cause });
  }
}
