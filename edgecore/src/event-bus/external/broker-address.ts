import { readFile } from 'node:fs/promises';
import type { IClientOptions } from 'mqtt';
import { EdgeCoreError } from '../../errors.ts';

/** Where an external broker is, and how to show oneself there: a part of the section `eventBus`. */
export interface BrokerAddress {
  /** `mqtt://host:port`, `mqtts://host:port`. */
  readonly url: string;
  readonly user: string;
  readonly passwordFile: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * What a client is told of it. Files are read each time: they may have been renewed.
 * @throws EdgeCoreError `ERR_EDGECORE_BUS_FILE`
 */
export async function credentialsOf(address: BrokerAddress): Promise<IClientOptions> {
  const { user, passwordFile, caFile, certFile, keyFile } = address;
  return {
    ...(user === '' ? {} : { username: user }),
    ...(passwordFile === '' ? {} : { password: await readLine(passwordFile) }),
    ...(caFile === '' ? {} : { ca: await read(caFile) }),
    ...(certFile === '' ? {} : { cert: await read(certFile) }),
    ...(keyFile === '' ? {} : { key: await read(keyFile) }),
  };
}

/** Without the line feed at its end. */
async function readLine(file: string): Promise<string> {
  return (await read(file)).toString('utf8').replace(/\r?\n$/, '');
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EdgeCoreError('ERR_EDGECORE_BUS_FILE', `${file} cannot be read: ${reason}`, {
      about: file,
      cause,
    });
  }
}
