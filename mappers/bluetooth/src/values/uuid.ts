/** What the short forms stand in (Core specification, volume 3, part B, 2.5.1). */
const BASE = '-0000-1000-8000-00805f9b34fb';

/**
 * A UUID as BlueZ writes it: 128 bits, lower case, with dashes.
 * @param text 16, 32 or 128 bits, with or without dashes, as the schemas have it
 */
export function fullUuid(text: string): string {
  const digits = text.toLowerCase().replaceAll('-', '');
  if (digits.length <= 8) return digits.padStart(8, '0') + BASE;
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-');
}
