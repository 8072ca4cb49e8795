import { spawn } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { CsrOrder } from './csr-process.ts';
import { privateKeyPem } from './node-key.ts';

const MAKER = fileURLToPath(new URL('csr-process.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/**
 * `createCsr` in a process of its own that ends with the answer: the running edge core does this once a year, and what
 * it takes would stay (10 MB after a thread of this process, 15 MB without one). The key goes through a pipe.
 * Rejects with an Error that has what the process complained of.
 */
export function csrInProcess(privateKey: KeyObject, node: string): Promise<string> {
  const order: CsrOrder = { privateKey: privateKeyPem(privateKey), node };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAKER], { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (error) =>
      reject(new Error(`no process for a request: ${error.message}`, { cause: error })),
    );
    child.on('close', (code) => {
      if (code === 0) {
        resolve(Buffer.concat(output).toString());
        return;
      }
      const said = Buffer.concat(complaints).toString().trim().slice(0, 1000);
      reject(new Error(`the process that makes a request ended with ${code ?? 'a signal'}: ${said}`));
    });
    child.stdin.on('error', () => {}); // the process ended before it had read: its exit code tells
    child.stdin.end(JSON.stringify(order));
  });
}
