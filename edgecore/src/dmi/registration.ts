import { isProtocolName } from '@hawser/devices';
import type { Decoded } from '../cri/wire.ts';
import { CallError } from './call-error.ts';
import type { MapperInfo } from './dmi-messages.ts';

/** Who a mapper says that it is. */
export interface Registration {
  readonly name: string;
  readonly version: string;
  /** In lower case, as everywhere at the edge. */
  readonly protocol: string;
  /** Path of the socket on which it serves. */
  readonly address: string;
}

const NAME_CHARS = 128;
/** What an address of a unix socket has place for. */
const PATH_BYTES = 107;

/** @throws CallError where it cannot be used */
export function registrationOf(mapper: Decoded<typeof MapperInfo.fields> | undefined): Registration {
  if (mapper === undefined) throw invalid('there is no mapper in it');
  const { name, version } = mapper;
  const protocol = mapper.protocol.toLowerCase();
  if (name === '' || name.length > NAME_CHARS || version.length > NAME_CHARS)
    throw invalid(`a mapper has a name; names and versions have at most ${String(NAME_CHARS)} characters`);
  if (!isProtocolName(protocol))
    throw invalid(`${JSON.stringify(mapper.protocol.slice(0, NAME_CHARS))} is not the name of a protocol`);
  const address = Buffer.from(mapper.address)
    .toString('utf8')
    .replace(/^unix:(\/\/)?(?=\/)/, '');
  if (!address.startsWith('/') || address.includes('\0') || Buffer.byteLength(address) > PATH_BYTES)
    throw invalid(`the address of a mapper is the path of its socket, at most ${String(PATH_BYTES)} bytes`);
  return { name, version, protocol, address };
}

/** The same, from the disk; undefined: it cannot be read. */
export function keptRegistration(protocol: string, value: unknown): Registration | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, version, address } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || typeof address !== 'string')
    return undefined;
  return { name, version, protocol, address };
}

function invalid(message: string): CallError {
  return new CallError('refused', 'INVALID_ARGUMENT', message);
}
