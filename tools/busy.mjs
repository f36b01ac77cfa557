// `npm run busy -- COMMAND …`: runs a command beside busy loops, two for each core, and ends with its exit code. What
// passes on an idle machine alone has a verdict that depends on time.
//
// Each loop watches this process and ends when it is gone, however it ended.
import { spawn } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';

const LOOP = `
  const parent = Number(process.argv[1]);
  const isThere = () => {
    try {
      return process.ppid === parent && process.kill(parent, 0);
    } catch {
      return false;
    }
  };
  while (isThere()) {
    const until = performance.now() + 200;
    while (performance.now() < until);
  }
`;

const [program, ...argv] = process.argv.slice(2);
if (program === undefined) {
  console.error('usage: npm run busy -- COMMAND [ARGUMENT …]');
  process.exit(2);
}

const count = 2 * availableParallelism();
const loops = Array.from({ length: count }, () =>
  spawn(process.execPath, ['-e', LOOP, String(process.pid)], { stdio: 'ignore' }),
);
console.log(`beside ${count} busy loops: ${loops.map(({ pid }) => pid).join(', ')}`);

const child = spawn(program, argv, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

const status = await new Promise((resolve) => {
  child.on('error', (error) => {
    console.error(error.message);
    resolve(127);
  });
  child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
});

// A loop that is not there any more has not kept the machine busy.
const gone = loops.filter(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null).length;
await Promise.all(
  loops.map(
    (loop) =>
      new Promise((resolve) => {
        if (loop.exitCode !== null || loop.signalCode !== null) return resolve();
        loop.on('exit', resolve);
        loop.kill('SIGKILL');
      }),
  ),
);
if (gone > 0) console.error(`${gone} of ${count} busy loops ended before the command did`);
process.exitCode = status === 0 && gone > 0 ? 1 : status;
