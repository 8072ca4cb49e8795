/** Reads a size of a terminal as clients send it; what is none changes nothing. */
export function readSize(content: Buffer, onSize: (columns: number, rows: number) => void): void {
  try {
    const { Width, Height } = JSON.parse(content.toString()) as {
      readonly Width?: unknown;
      readonly Height?: unknown;
    };
    if (typeof Width === 'number' && typeof Height === 'number') onSize(Width, Height);
  } catch {
    // The next one may be a size.
  }
}
