// Acts as the main process of a test run: starts a worker and passes on its output. It ends when its worker does.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const worker = fork(fileURLToPath(new URL('kill-worker.mjs', import.meta.url)), process.argv.slice(2));
process.stdout.write(`worker ${worker.pid}\n`);
worker.on('message', (verdict) => process.stdout.write(`verdict ${verdict}\n`));
worker.on('exit', () => process.exit(1));
