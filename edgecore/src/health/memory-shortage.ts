import { writeFileSync } from 'node:fs';

/**
 * For what this process has just started: when memory ends, the kernel spares us (OOMScoreAdjust= of our service), which
 * is inherited, and shall not spare that. Source: proc(5).
 */
export function mayBeKilled(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended, or is another user's: then nobody has spared us either.
  }
}
