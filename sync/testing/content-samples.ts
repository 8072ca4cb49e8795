import { createHash } from 'node:crypto';
import type { Content } from '../src/content/content.ts';

/** A content made of any text, with its true hash; the text need not be JSON. */
export function sampleContent(key: string, text: string, version = '1'): Content {
  const bytes = Buffer.from(text, 'utf8');
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { key, hash, version, bytes };
}
