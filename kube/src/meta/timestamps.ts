const RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** A time as objects carry it: RFC 3339, whole seconds, UTC. Source: apimachinery meta/v1 Time. */
export function formatTime(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

/** A time with microseconds, as leases and events carry it. Source: apimachinery meta/v1 MicroTime. */
export function formatMicroTime(wallMs: number): string {
  const micros = Math.round((wallMs - Math.floor(wallMs / 1000) * 1000) * 1000);
  const carried = Math.floor(wallMs / 1000) * 1000 + Math.floor(micros / 1_000_000) * 1000;
  return `${new Date(carried).toISOString().slice(0, 19)}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
}

/** Reads an RFC 3339 time with any offset; milliseconds since the epoch, or undefined if it is none. */
export function parseTime(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  const micros = Number(/\.(\d+)/.exec(text)?.[1]?.padEnd(6, '0').slice(3, 6) ?? 0);
  return ms + micros / 1000;
}
