// Started by csr-in-process.ts: reads a CsrOrder as JSON from standard input, writes the request to standard output.
import { createPrivateKey } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createCsr } from './csr.ts';

/** What csr-in-process.ts asks for. */
export interface CsrOrder {
  /** PKCS#8, PEM. */
  readonly privateKey: string;
  readonly node: string;
}

const { privateKey, node } = JSON.parse(await text(process.stdin)) as CsrOrder;
process.stdout.write(await createCsr(createPrivateKey(privateKey), node));
