import { EdgeCoreError } from '../../errors.ts';

/** MQTT 3.1.1 (3.2.2.3) and 5 (3.2.2.2): credentials, rights, a banned client, an authentication method. */
const DENIED = new Set([4, 5, 0x86, 0x87, 0x8a, 0x8c]);
/** The version of the protocol; MQTT 3.1.1, and 5. */
const OTHER_VERSION = new Set([1, 0x84]);

/** Whether a broker says that it does not speak this version of MQTT. */
export function isOtherVersion(error: unknown): boolean {
  return OTHER_VERSION.has(reasonCode(error));
}

/** What it means that an external broker could not be reached, or has refused. */
export function brokerFailure(url: string, error: unknown): EdgeCoreError {
  const code = DENIED.has(reasonCode(error)) ? 'ERR_EDGECORE_BUS_DENIED' : 'ERR_EDGECORE_BUS_BROKER';
  const verb = code === 'ERR_EDGECORE_BUS_DENIED' ? 'does not let this node in' : 'cannot be used';
  if (error instanceof EdgeCoreError) return error;
  return new EdgeCoreError(code, `the broker at ${url} ${verb}: ${messageOf(error)}`, {
    about: url,
    cause: error,
  });
}

function reasonCode(error: unknown): number {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : -1;
}

/** Failures to connect to each of several addresses have no message of their own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
