import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { sshdPath, TestSshd } from './testing/sshd.ts';
import { TestVms } from './testing/vms.ts';

/** A stand-in for kvmtool: a "realm" is a shell on the terminal, with the root folder that kvmtool would use. */
const lkvm = `#!/bin/sh
[ "$2" = --help ] && { cat "$0.help" 2>/dev/null; exit 129; }
echo "$@" >"$0.argv"
for argument; do
    [ "$before" = --9p ] && shared=\${argument%,*}
    before=$argument
done
export PETRI_ROOT="$HOME/.lkvm/default"
mkdir -p "$PETRI_ROOT/root" "$PETRI_ROOT/virt"
: >"$PETRI_ROOT/virt/init"
ln -s "$shared" "$PETRI_ROOT/root/mount"
[ -e "$0.panic" ] && echo 'Kernel panic - not syncing: no realm today'
exec sh
`;

/** Prints like OpenVMM's tmk_vmm; the name of the test selects the outcome. */
const tmkVmm = `#!/bin/sh
for argument; do test=$argument; done
say() { printf '  2026-01-01T00:00:00.000000Z %5s %s\\n\\n' "$1" "$2"; }
say INFO "test: test started, name: \\"$test\\""
case $test in
boot) say INFO 'tmk: hello world'; say INFO "test: test passed, name: \\"$test\\"";;
*)
    say INFO 'tmk: ##petri 0123456789abcdef end rc=0 bytes=0 cksum=0##'
    say ERROR 'tmk: location: "panic.c:7", panic: "no more"'
    say INFO "test: test failed, name: \\"$test\\", reason: \\"explicit failure\\""
    echo 'Error: some tests failed'
    exit 1;;
esac
`;

describe.skipIf(sshdPath === undefined || optionalTool('script', 'bsdutils') === undefined)(
  'realms of kvmtool on a machine of a lab',
  () => {
    let sshd: TestSshd;
    let vms: TestVms;
    let tools: string;

    beforeAll(async () => {
      sshd = await TestSshd.start();
      vms = new TestVms(sshd);
      tools = join(sshd.folder, 'tools');
      mkdirSync(tools);
      for (const [name, text] of Object.entries({ lkvm, tmk_vmm: tmkVmm, Image: '' })) {
        writeFileSync(join(tools, name), text, { mode: 0o755 });
      }
      const launchers = {
        cca: {
          kind: 'kvmtool',
          command: join(tools, 'lkvm'),
          kernel: join(tools, 'Image'),
          tmkVmm: join(tools, 'tmk_vmm'),
        },
      };
      await vms.hosts({ launchers });
    });
    afterEach(async () => {
      await vms.clear();
    });
    afterAll(async () => {
      await vms.end();
      await sshd.end();
    });

    it('run a TMK through the agent in plane 0, and leave nothing on the host', async () => {
      const vm = await vms.launch('hello', { isolation: 'cca' });
      await vm.serial.waitFor('hello world\n');
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      expect(vm.serial.transcript).toBe('hello world\n');
      expect(readFileSync(join(tools, 'lkvm.argv'), 'utf8')).toMatch(
        /^run --realm --disable-sve --irqchip=gicv3-its -c 1 -m 512 .* --9p \S+\/share\/,cca_mount .*--measurement-algo=sha256/,
      );
    });

    it.each([
      ['has it', '  --realm  --restricted_mem', true],
      ['does not have it', '  --realm  --disable-sve', false],
    ])('give --restricted_mem to a kvmtool that %s', async (_which, help, expected) => {
      writeFileSync(join(tools, 'lkvm.help'), help);
      const vm = await vms.launch('hello', { isolation: 'cca' });
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      const words = readFileSync(join(tools, 'lkvm.argv'), 'utf8').trim().split(' ');
      expect(words).toEqual(expect.arrayContaining(['--realm', '--measurement-algo=sha256']));
      expect(words.includes('--restricted_mem')).toBe(expected);
    });

    it('are not misled by guest output that looks like one of our frames', async () => {
      const vm = await vms.launch('panic', { isolation: 'cca' });
      expect(await vm.halted).toEqual({ reason: 'panic', message: 'no more', location: 'panic.c:7' });
      expect(vm.serial.transcript).toContain('##petri 0123456789abcdef end rc=0');
    });

    it('are lost with the reason if Linux panics before the agent starts', async () => {
      writeFileSync(join(tools, 'lkvm.panic'), '');
      const vm = await vms.launch('hello', { isolation: 'cca' });
      await expect(vm.serial.waitFor('hello')).rejects.toMatchObject({
        code: 'boot-failed',
        message: expect.stringContaining('a Linux kernel panicked') as string,
      });
    });
  },
);
