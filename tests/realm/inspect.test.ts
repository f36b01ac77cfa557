import { petriTest, tmk } from 'petri-vm';

const COMMAND_PAGE = 0xffff_0000n;
/** Where sim puts the payload; elsewhere the tests do not rely on it. */
const PAYLOAD = 0x8020_0000n;
const OTHER_PLANE = 0x847f_f000n;

petriTest(
  'cca',
  'the realm tells its configuration',
  { payload: tmk('hello'), rpv: 'petri', requires: ['realm.config'] },
  async ({ vm, expect }) => {
    const { config } = vm.realm;
    expect(config).toMatchObject({ ipaWidth: 33, hashAlgorithm: 'sha-256', numAuxPlanes: 1 });
    expect(Buffer.from(config.rpv).toString()).toBe(`petri${'\0'.repeat(59)}`);
  },
);

petriTest(
  'cca',
  'the initial measurement covers the payload and nothing that changes from boot to boot',
  { payload: tmk('hello'), requires: ['realm.measurements', 'reset'] },
  async ({ vm, launch, expect }) => {
    const rim = (of: typeof vm): string => Buffer.from(of.realm.measurements().rim).toString('hex');
    await vm.halted;
    const first = rim(vm);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(first).not.toMatch(/^0+$/);
    await vm.reset();
    await vm.halted;
    expect(rim(vm)).toBe(first);
    const other = await launch({ payload: tmk('panic'), test: 'panic' });
    await other.halted;
    expect(rim(other)).not.toBe(first);
    expect(other.realm.measurements().rem.map((rem) => rem.every((byte) => byte === 0))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  },
);

petriTest(
  'cca',
  'RIPAS is RAM where the realm has RAM, and EMPTY at the command page',
  { payload: tmk('hello'), requires: ['realm.ripas'] },
  async ({ vm, expect }) => {
    await vm.halted;
    expect(vm.realm.ripas(0x8000_0000n)).toBe('ram');
    expect(vm.realm.ripas(0x9fff_f000n)).toBe('ram');
    expect(vm.realm.ripas(0xa000_0000n)).toBe('empty');
    expect(vm.realm.ripas(COMMAND_PAGE)).toBe('empty');
    expect(vm.realm.ripas(0n)).toBe('empty');
    for (const outside of [1n << 32n, 1n << 60n, -1n]) {
      expect(() => vm.realm.ripas(outside)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    }
  },
);

petriTest(
  'cca',
  'plane 1 may use its own memory, and not that of plane 0',
  { payload: tmk('simple'), test: 'instruction_abort_permissions_enabled', requires: ['planes'] },
  async ({ vm, expect }) => {
    await vm.halted;
    const plane = vm.plane(1);
    expect(plane.permissions(PAYLOAD)).toBe('rwx');
    expect(plane.permissions(OTHER_PLANE)).toBe('');
    expect(plane.permissions(COMMAND_PAGE)).toBe('');
    expect(plane.permissions(1n << 62n)).toBe('');
  },
);

petriTest(
  'cca',
  'each exit of plane 1 is recorded and decoded',
  { payload: tmk('hello'), requires: ['inspect.exits'] },
  async ({ vm, expect }) => {
    await vm.halted;
    const { exits, exitCount } = vm.plane(1);
    expect(exitCount).toBe(exits.length);
    expect(exits.map((exit) => exit.index)).toEqual(exits.map((_, index) => index));
    const commands = exits.filter((exit) => exit.ipa === COMMAND_PAGE);
    expect(commands).toHaveLength(4);
    for (const exit of commands) {
      expect(exit).toMatchObject({
        reason: 'sync',
        ec: 0x24,
        pstate: expect.any(BigInt) as unknown,
        far: COMMAND_PAGE,
      });
      expect(exit.iss).toMatchObject({ ISV: 1, SAS: 3, WnR: 1, SF: 1 });
      expect(exit.summary).toMatch(/^data abort: write of 8 bytes at IPA 0xffff0000, translation fault level \d$/);
    }
  },
);

petriTest(
  'cca',
  'SIMD traps once, and never again',
  { payload: tmk('selftest'), test: 'dot_products', requires: ['inspect.exits'] },
  async ({ vm, expect }) => {
    await expect(vm).toHaltWith('complete');
    expect(vm.plane(1).exits.filter((exit) => exit.ec === 0x07)).toHaveLength(1);
  },
);

petriTest(
  'cca',
  'a hundred thousand exits are counted, and the first and last of them kept',
  { payload: tmk('mmio'), test: 'hundred_thousand_reads', requires: ['inspect.exits'] },
  async ({ vm, expect }) => {
    await expect(vm).toHaltWith('complete');
    const { exits, exitCount } = vm.plane(1);
    expect(exitCount).toBeGreaterThan(100_000);
    expect(exits.length).toBeLessThan(2000);
    expect(exits[0]?.index).toBe(0);
    expect(exits.at(-1)?.index).toBe(exitCount - 1);
  },
);

petriTest(
  'cca',
  'registers and system registers of plane 1 can be read',
  { payload: tmk('exits'), test: 'hvc', requires: ['inspect.registers'] },
  async ({ vm, expect }) => {
    await vm.halted;
    const { x, sp, pc, pstate } = vm.plane(1).registers();
    expect(x).toHaveLength(31);
    expect(x[0]).toBe(0xc600_fff0n);
    expect(sp).toBeGreaterThan(PAYLOAD);
    expect(pc).toBeGreaterThan(PAYLOAD);
    expect(pstate & 0x3ffn).toBe(0x3c5n);
    expect(vm.plane(1).sysreg('SCTLR_EL1')).toBe(0xc5_0878n);
    expect(vm.plane(1).sysreg('MDSCR_EL1')).toBe(0x800n);
    expect(vm.plane(1).registers(0).x[0]).toBe(x[0]);
    expect(() => vm.plane(1).registers(1)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    expect(() => vm.plane(1).sysreg('NOSUCH_EL1')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  },
);
