import { describe, expect, it } from 'vitest';

import { tmk } from '../../../petri/payload/index.ts';
import type { TmkPayload, VmSpec } from '../../../petri/contract/index.ts';
import { resolveVmConfig } from '../../../petri/vm/index.ts';
import { kvmtoolArguments } from './kvmtool-arguments.ts';
import { confidentialQemuArguments } from './qemu-arguments.ts';

const config = { kind: 'qemu', kernel: '/k', initrd: '/i', tmkVmm: '/t', args: [] } as const;
const spec = (isolation: VmSpec['isolation'], rpv = ''): VmSpec<TmkPayload> => ({
  isolation,
  payload: tmk('hello'),
  config: resolveVmConfig({ memory: '1G', rpv }),
  machine: 'shared',
});
const argv = (isolation: VmSpec['isolation'], rpv?: string): string =>
  confidentialQemuArguments({ ...config, args: [] }, spec(isolation, rpv), '/launch').join(' ');

describe('confidentialQemuArguments', () => {
  it('names the object of each isolation type, and the guest support that uses it', () => {
    expect(argv('cca')).toMatch(
      /^qemu-system-aarch64 .*confidential-guest-support=guest0 -object rme-guest,id=guest0,measurement-algorithm=sha256 /,
    );
    expect(argv('snp')).toMatch(/^qemu-system-x86_64 .*-object sev-snp-guest,id=guest0,.*size=1024M/);
    expect(argv('tdx')).toMatch(/^qemu-system-x86_64 .*-object tdx-guest,id=guest0/);
    expect(() => argv('none')).toThrow(/no object/);
  });

  it('passes the personalization value in base64, if there is one', () => {
    const [, value = ''] = /personalization-value=(\S+)/.exec(argv('cca', 'a,b')) ?? [];
    expect(Buffer.from(value, 'base64').toString('latin1')).toBe(`a,b${'\0'.repeat(61)}`);
    expect(argv('cca')).not.toContain('personalization');
  });

  it('escapes a comma in the name of a folder', () => {
    expect(confidentialQemuArguments({ ...config, args: [] }, spec('cca'), '/a,b').join(' ')).toContain(
      'path=/a,,b/share,',
    );
  });
});

describe('kvmtoolArguments', () => {
  it.each([
    ['2G', '0x101000000'],
    ['2050M', '0x201000000'],
    ['6G', '0x201000000'],
    ['7G', '0x401000000'],
  ])('put the early console of a realm with %s into the unprotected half', (memory, address) => {
    expect(kvmtoolArguments('/k', resolveVmConfig({ memory }), '/f').join(' ')).toContain(
      `-p earlycon=uart,mmio,${address} console=hvc0 `,
    );
  });

  it('makes a realm as OpenVMM does', () => {
    expect(
      kvmtoolArguments('/k', resolveVmConfig({ rpv: 'me', measurementAlgorithm: 'sha-512' }), '/f').join(' '),
    ).toBe(
      'run --realm --disable-sve --irqchip=gicv3-its -c 1 -m 512 --no-pvtime --force-pci --console virtio --kernel /k ' +
        '--9p /f/share/,cca_mount -p earlycon=uart,mmio,0x101000000 console=hvc0 root=/dev/vda2 swiotlb=2048 rodata=full --measurement-algo=sha512 --restricted_mem --realm-pv=me',
    );
  });
});
