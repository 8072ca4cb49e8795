import { TEST_IMAGES } from '@hawser/edgecore/testing';

/** A container that runs a shell command. */
export function shell(name: string, command: string, more: object = {}): object {
  return { name, image: TEST_IMAGES.busybox, command: ['sh', '-c', command], ...more };
}

/** Stays until it is told to end, and ends at once then. */
export const STAYS = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

/** Serves a page (`hawser`) at port 8080, until it is told to end. */
export const SERVES = `httpd -p 8080 -h /www; ${STAYS}`;
