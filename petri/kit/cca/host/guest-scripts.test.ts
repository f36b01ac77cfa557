import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { artifactsFolder } from '../../../artifacts/index.ts';
import { optionalTool } from '../../../unit-test/optional-tool.ts';
import { until } from '../../../unit-test/until.ts';
import { AgentLink, hostCommands, newNonce, shellCommands, Plane0 } from '../index.ts';

const scripts = join(artifactsFolder(), 'cca', 'guest');
/** Shells that the machine may have, as far as they are installed here. */
const shells = [
  ['sh', 'sh'],
  ['busybox sh', 'busybox'],
  ['bash', 'bash'],
] as const;

let root: string;
let agent: ChildProcessWithoutNullStreams | undefined;

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'petri-guest-'));
  for (const folder of ['cca', 'proc/sys/kernel', 'sbin', '.lkvm/default/root/mount/tmk', '.lkvm/default/virt']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const name of ['host-agent.sh', 'plane0-agent.sh']) copyFileSync(join(scripts, name), join(root, 'cca', name));
  writeFileSync(join(root, '.lkvm/default/virt/init'), '');
  program(join(root, 'sbin/poweroff'), `echo down >"${root}/down"\n`);
  program(
    join(root, 'cca/lkvm'),
    'for word; do printf "%s\\n" "$word"; done >"$PETRI_ROOT/lkvm.args"\nPETRI_ROOT=$PETRI_ROOT/.lkvm/default exec sh\n',
  );
  program(
    join(root, '.lkvm/default/root/mount/tmk_vmm'),
    'shift 4\n[ "$1" = slow ] && sleep 30\n[ "$1" = -- ] && shift\nprintf "test <%s>\\nno end" "$1"\n[ "$1" != fail ]\n',
  );
});

afterEach(async () => {
  agent?.kill('SIGKILL');
  agent = undefined;
  // A process that the agent started may still create a file in a folder that was found empty.
  await until(() => {
    try {
      rmSync(root, { recursive: true, force: true });
      return true;
    } catch {
      return false;
    }
  });
});

function which(name: string): string {
  return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' }).trim();
}

/** The scripts as they run on the machine, with pipes instead of the console. */
function start(shell: string) {
  const nonce = newNonce();
  writeFileSync(join(root, 'cca/nonce'), `${nonce}\n`);
  const [command, ...args] = shell.split(' ');
  const child = spawn(command ?? 'sh', [...args, join(root, 'cca/host-agent.sh')], {
    env: { ...process.env, PETRI_ROOT: root },
  });
  agent = child;
  const link = new AgentLink();
  child.stdout.on('data', (bytes: Buffer) => link.receive(bytes));
  const type = (line: string): void => void child.stdin.write(`${line}\n`);
  const plane0 = new Plane0({
    link,
    lost: new Promise<string>((resolve) => child.on('exit', () => resolve('the agent ended'))),
    log: () => undefined,
    write: (bytes) => new Promise((resolve) => child.stdin.write(bytes, () => resolve())),
  });
  return { child, link, type, plane0, ready: link.open(nonce).next('host-ready') };
}

async function plane0Of({ link, type }: ReturnType<typeof start>, rpv = new Uint8Array()): Promise<void> {
  const realm = link.open(newNonce());
  type(hostCommands.realm(realm.nonce, { memory: 512, algorithm: 'sha256', rpv }));
  await realm.next('realm-begin');
  const shell = link.open(newNonce());
  const nudge = setInterval(() => type(shellCommands.nudge(shell.nonce)), 100);
  await shell.next('shell').finally(() => clearInterval(nudge));
  const answer = link.open(newNonce());
  type(shellCommands.startAgent(answer.nonce));
  await answer.next('plane0-ready');
}

describe.each(shells.filter(([, tool]) => tool === 'sh' || optionalTool(tool, tool) !== undefined))(
  'the agents, run by %s',
  (shell) => {
    it('answer, launch a realm, run tests in it, and end in order', async () => {
      const machine = start(shell);
      const { link, type, plane0 } = machine;
      await machine.ready;
      const ping = link.open(newNonce());
      type(hostCommands.ping(ping.nonce));
      await ping.next('pong');
      await plane0Of(machine, Buffer.from("it's a name"));
      expect(readFileSync(join(root, 'lkvm.args'), 'utf8').split('\n')).toEqual(
        expect.arrayContaining(['run', '--realm', '512', '--measurement-algo=sha256', "--realm-pv=it's a name"]),
      );
      // As one word.
      expect(readFileSync(join(root, 'lkvm.args'), 'utf8')).toMatch(
        /^earlycon=uart,mmio,0x101000000 console=hvc0 .*\bswiotlb=2048\b.*\brodata=full$/m,
      );
      const run = async (test: string) => {
        let output = '';
        const take = (bytes: Uint8Array): void => void (output += Buffer.from(bytes).toString());
        const end = await plane0.run({ file: 'tmk/x.elf', test, take, onStart: () => undefined });
        return { ...end, output };
      };
      const hostile = 'a b\'$(touch x)\\`"\n\t%s*';
      expect(await run(hostile)).toEqual({ code: 0, intact: true, output: `test <${hostile}>\nno end` });
      expect(await run('-v')).toMatchObject({ output: 'test <-v>\nno end' });
      expect(await run('fail')).toEqual({ code: 1, intact: true, output: 'test <fail>\nno end' });
      expect(await plane0.again()).toEqual({ code: 1, output: Buffer.from('test <fail>\nno end') });
      const content = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));
      await plane0.put({ name: 'tmk/new.elf', content });
      expect(readFileSync(join(root, '.lkvm/default/root/mount/tmk/new.elf')).equals(content)).toBe(true);
      await plane0.ping();
      expect(existsSync(join(root, 'x'))).toBe(false);
      await plane0.exit();
      const off = link.open(newNonce());
      type(hostCommands.off(off.nonce));
      await off.next('off');
      await new Promise((resolve) => machine.child.on('exit', resolve));
      expect(existsSync(join(root, 'down'))).toBe(true);
    });

    it.each([
      ['with --restricted_mem', 'echo "  --realm  --restricted_mem"', true],
      ['without it', 'echo "  --realm  --disable-sve"', false],
      ['whose help lists no options', ':', true],
    ])('launch a realm with a kvmtool %s', async (_which, help, expected) => {
      program(
        join(root, 'cca/lkvm'),
        `[ "$2" = --help ] && { ${help}; exit 129; }\necho "$*" >"$PETRI_ROOT/lkvm.args"\nexit 7\n`,
      );
      const machine = start(shell);
      await machine.ready;
      const realm = machine.link.open(newNonce());
      machine.type(hostCommands.realm(realm.nonce, { memory: 512, algorithm: 'sha256', rpv: Buffer.from('me') }));
      await realm.next('realm-end');
      const words = readFileSync(join(root, 'lkvm.args'), 'utf8').trim().split(' ');
      expect(words).toEqual(expect.arrayContaining(['run', '--realm', '--realm-pv=me']));
      expect(words.includes('--restricted_mem')).toBe(expected);
    });

    it('give Linux in plane 0 an early console in the shared half of the IPA space', async () => {
      program(join(root, 'cca/lkvm'), 'echo "$*" >>"$PETRI_ROOT/lkvm.args"\nexit 7\n');
      const machine = start(shell);
      await machine.ready;
      for (const memory of [2048, 2049, 7168]) {
        const realm = machine.link.open(newNonce());
        machine.type(hostCommands.realm(realm.nonce, { memory, algorithm: 'sha256', rpv: new Uint8Array() }));
        await realm.next('realm-end');
      }
      const addresses = readFileSync(join(root, 'lkvm.args'), 'utf8').match(/earlycon=\S+/g);
      expect(addresses).toEqual(['1', '2', '4'].map((high) => `earlycon=uart,mmio,0x${high}01000000`));
    });

    it('report that a realm could not be launched, and continue', async () => {
      program(join(root, 'cca/lkvm'), 'echo no >&2\nexit 7\n');
      const machine = start(shell);
      await machine.ready;
      const realm = machine.link.open(newNonce());
      machine.type(hostCommands.realm(realm.nonce, { memory: 512, algorithm: 'sha512', rpv: new Uint8Array() }));
      expect((await realm.next('realm-end')).values).toEqual({ rc: '7' });
      const ping = machine.link.open(newNonce());
      machine.type(hostCommands.ping(ping.nonce));
      await ping.next('pong');
    });

    it('report that tmk_vmm is missing', async () => {
      rmSync(join(root, '.lkvm/default/root/mount/tmk_vmm'));
      program(join(root, '.lkvm/default/root/busybox'), 'exit 1\n');
      const machine = start(shell);
      await machine.ready;
      const realm = machine.link.open(newNonce());
      machine.type(hostCommands.realm(realm.nonce, { memory: 512, algorithm: 'sha256', rpv: new Uint8Array() }));
      await realm.next('realm-begin');
      const shellNonce = machine.link.open(newNonce());
      const nudge = setInterval(() => machine.type(shellCommands.nudge(shellNonce.nonce)), 100);
      await shellNonce.next('shell').finally(() => clearInterval(nudge));
      const answer = machine.link.open(newNonce());
      machine.type(shellCommands.startAgent(answer.nonce));
      expect((await answer.next('plane0-failed')).values).toEqual({});
    });

    it('report which program plane 0 lacks', async () => {
      const bin = join(root, 'bin');
      const has = ['cat', 'cp', 'mkdir', 'mv', 'rm', 'sleep', 'stty', 'tee', 'wc', 'base64'];
      program(join(root, 'plane0-sh'), `PATH=${bin}\nexport PATH\nexec ${which('sh')} "$@"\n`);
      mkdirSync(bin);
      for (const name of has) symlinkSync(which(name), join(bin, name));
      program(join(root, '.lkvm/default/root/busybox'), 'echo "[\n[[\nash"\n');
      const nonce = newNonce();
      const child = spawn(join(root, 'plane0-sh'), [join(root, 'cca/plane0-agent.sh'), nonce], {
        env: { ...process.env, PETRI_ROOT: join(root, '.lkvm/default') },
      });
      agent = child;
      const link = new AgentLink();
      child.stdout.on('data', (bytes: Buffer) => link.receive(bytes));
      expect((await link.open(nonce).next('plane0-failed')).values).toEqual({ lacks: 'sha256sum' });
    });
  },
);
