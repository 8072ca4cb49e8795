import assert from 'node:assert/strict';
import { SyncError, type SyncErrorCode } from '../src/index.ts';

/** Asserts that it throws a SyncError of this code, and answers its message. */
export function throwsCode(run: () => unknown, ...codes: readonly SyncErrorCode[]): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SyncError, `not of ours: ${String(error)}`);
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return error.message;
  }
  assert.fail(`did not throw ${codes.join(' or ')}`);
}
