import { TUNNEL_ERRORS, TunnelError } from '@hawser/proto';
import { SYNC_ERRORS } from '@hawser/sync';
import { EDGECORE_ERRORS } from '../errors.ts';
import type { ReportedError } from '../admin/admin-types.ts';

/** What an operator can do about an error, by its code; undefined for codes that are not ours. */
export function remedyOf(code: string): string | undefined {
  const tables: readonly Readonly<Record<string, { readonly remedy: string }>>[] = [
    TUNNEL_ERRORS,
    SYNC_ERRORS,
    EDGECORE_ERRORS,
  ];
  return tables.find((table) => Object.hasOwn(table, code))?.[code]?.remedy;
}

/** An error as `hawser status` shows it. @param atMs wall time, milliseconds */
export function reportedError(error: unknown, atMs: number): ReportedError {
  const given = (error as { readonly code?: unknown } | undefined)?.code;
  const code = typeof given === 'string' ? given : 'ERR_EDGECORE_INTERNAL';
  const remedy = remedyOf(code);
  return {
    code,
    message: error instanceof Error ? error.message : String(error),
    ...(remedy !== undefined && { remedy }),
    at: new Date(atMs).toISOString(),
  };
}

/** Whether an error says that one of the two certificates did not hold; `certificate` of it says which. */
export function isCertificateError(error: Error): error is TunnelError {
  return error instanceof TunnelError && error.code.startsWith('ERR_TUNNEL_CERT_');
}
