const watch = `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume();
  process.stdin.unref();
}`;

/**
 * Options of Node with which a program that a test starts ends with the process of the test, however that ends: where
 * it is killed, no hook ends what it started. The program's input must be a pipe.
 */
export const endsWithUs: readonly string[] = ['--import', `data:text/javascript,${encodeURIComponent(watch)}`];
