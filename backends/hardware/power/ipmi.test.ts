import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervisor } from '../../../petri/kit/process/index.ts';
import { switchBoard } from './power.ts';

/** A stand-in for ipmitool, with its messages and exit codes; a chassis is a file that contains its state. */
const ipmitool = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case "$*" in *"-L OPERATOR"*) ;; *)
    if [ -e "$here/operator-only" ]; then
        echo "Error in open session response message : requested privilege level exceeds limit" >&2
        echo "Error: Unable to establish IPMI v2 / RMCP+ session" >&2
        exit 1
    fi ;;
esac
for verb; do :; done
state=$(cat "$here/state")
not_now() { echo "Set Chassis Power Control to $1 failed: Command not supported in present state" >&2; exit 1; }
case $verb in
status) echo "Chassis Power is $state" ;;
on) echo on >"$here/state"; echo "Chassis Power Control: Up/On" ;;
off)
    [ "$state" = on ] || not_now Down/Off
    echo off >"$here/state"
    [ ! -e "$here/raced" ] || not_now Down/Off
    echo "Chassis Power Control: Down/Off" ;;
cycle)
    [ "$state" = on ] && [ ! -e "$here/no-cycle" ] || not_now Cycle
    echo "Chassis Power Control: Cycle for $IPMI_PASSWORD" ;;
esac
`;

describe('ipmi', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ipmi-'));
    vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state-of-petri'));
    vi.stubEnv('BMC_PASSWORD', 's3cret');
    writeFileSync(join(folder, 'ipmitool'), ipmitool, { mode: 0o755 });
  });
  afterEach(async () => {
    await Supervisor.current()?.close();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const config = (extra: object = {}) => ({
    kind: 'ipmi' as const,
    address: 'bmc',
    user: 'admin',
    passwordEnv: 'BMC_PASSWORD',
    command: join(folder, 'ipmitool'),
    timeout: 600,
    ...extra,
  });
  const chassis = (state: 'on' | 'off', ...quirks: readonly string[]): void => {
    writeFileSync(join(folder, 'state'), `${state}\n`);
    for (const quirk of quirks) writeFileSync(join(folder, quirk), '');
  };
  const verbs = (): string[] =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? '');

  it('passes the password to ipmitool unseen, and shows it nowhere', async () => {
    chassis('on');
    expect(await switchBoard('board', config(), 'cycle')).toBe('Chassis Power Control: Cycle for ***');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe(
      ['status', 'cycle'].map((verb) => `-I lanplus -H bmc -U admin -E chassis power ${verb}\n`).join(''),
    );
    vi.stubEnv('BMC_PASSWORD', '');
    await expect(switchBoard('board', config(), 'on')).rejects.toThrow('BMC_PASSWORD is not set');
  });

  it.each([
    ['off', 'off', 'Chassis Power is off', ['status']],
    ['off', 'on', 'Chassis Power Control: Up/On', ['status', 'on']],
    ['off', 'cycle', 'Chassis Power Control: Up/On', ['status', 'on']],
    ['off', 'status', 'Chassis Power is off', ['status']],
    ['on', 'on', 'Chassis Power is on', ['status']],
    ['on', 'off', 'Chassis Power Control: Down/Off', ['status', 'off']],
  ] as const)('if it is %s, %s does only what is necessary', async (state, action, said, calls) => {
    chassis(state);
    expect(await switchBoard('board', config(), action)).toBe(said);
    expect(verbs()).toEqual(calls);
  });

  it('switches off and on if a BMC does not support a cycle', async () => {
    chassis('on', 'no-cycle');
    expect(await switchBoard('board', config(), 'cycle')).toBe(
      'Chassis Power Control: Down/Off\nChassis Power Control: Up/On',
    );
    expect(readFileSync(join(folder, 'state'), 'utf8')).toBe('on\n');
  });

  it('ignores a refusal if the state is right by then', async () => {
    chassis('on', 'raced');
    expect(await switchBoard('board', config(), 'off')).toBe('Chassis Power is off');
  });

  it('requests the user’s privilege level, and reports one that is too high', async () => {
    chassis('off', 'operator-only');
    expect(await switchBoard('board', config({ privilege: 'OPERATOR' }), 'on')).toBe('Chassis Power Control: Up/On');
    await expect(switchBoard('board', config(), 'on')).rejects.toMatchObject({
      code: 'power-failed',
      message: expect.stringContaining('privilege level exceeds limit') as string,
      remedy: expect.stringContaining('power.privilege') as string,
    });
  });
});
