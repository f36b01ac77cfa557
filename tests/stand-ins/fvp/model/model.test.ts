import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { parameters, RunningModel, TerminalClient } from '../testing.ts';

const basePort = 21_000 + (process.pid % 1000) * 10;

let folder: string;
let models: RunningModel[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-stand-in-test-'));
  models = [];
});

afterEach(() => {
  for (const model of models) model.process.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Terminals start at ports that other models are not likely to have. */
function start(
  values: Readonly<Record<string, string | number>>,
  faults = '',
  flags: readonly string[] = [],
): RunningModel {
  const ports: Record<string, number> = {};
  for (const index of [0, 1, 2, 3]) ports[`bp.terminal_${index}.start_port`] = basePort;
  const model = new RunningModel([...parameters({ ...ports, ...values }), ...flags], faults);
  models.push(model);
  return model;
}

describe('the command line of the stand-in for the model', () => {
  it('tells its version as the model does', async () => {
    const model = start({}, '', ['--version']);
    expect(await model.exit).toBe(0);
    expect(model.text).toMatch(/^\nFast Models \[11\.\d+\.\d+ \(.*\)\]\nCopyright 2000-/);
    expect(model.text).toContain('Info: /OSCI/SystemC: Simulation stopped by user.');
  });

  it.each([
    ['a parameter that does not exist', { 'cluster2.NUM_CORES': 4 }, '', /cluster2\.NUM_CORES/],
    ['a parameter that this model lacks', { 'bp.has_rme': 1 }, 'refuse=bp.has_rme', /bp\.has_rme/],
    ['a file that is not there', { 'bp.flashloader0.fname': '/nowhere/fip.bin' }, '', /\/nowhere\/fip\.bin/],
  ])('refuses %s', async (_, values, faults, complaint) => {
    const model = start(values, faults);
    expect(await model.exit).toBe(1);
    expect(model.text).toMatch(complaint);
  });

  it('names files that it loads, and warns of an empty second flash', async () => {
    const fip = join(folder, 'fip.bin');
    writeFileSync(fip, Buffer.alloc(3000));
    const model = start({ 'bp.flashloader0.fname': fip, 'bp.flashloader1.fname': '' });
    await model.waitFor(
      /flashloader1: FlashLoader: fname parameter is empty\. Nothing loaded\.\nIn file: \(unknown\):0/,
    );
    await model.waitFor(/flashloader0: FlashLoader: Loaded 3 kB from file '.*fip\.bin'/);
  });

  it('waits for a debugger with -I, and not with -R', async () => {
    const running = await start({}, '', ['-IRp']).terminal(0);
    await running.waitFor(/Booting Trusted Firmware/);
    const model = start({}, '', ['-I']);
    const waiting = await model.terminal(0);
    model.process.kill('SIGINT');
    await model.exit;
    expect(waiting.text).not.toContain('NOTICE');
  });
});

describe('terminals of the stand-in', () => {
  it('take the next port that is free, and say which', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const model = start({ 'bp.terminal_0.start_port': taken });
      expect(await model.port(0)).toBeGreaterThan(taken);
    } finally {
      server.close();
    }
  });

  it.each([
    [1, /^terminal_0: Listening/m],
    [2, /^\nInfo: FVP_Base_RevC_2xAEMvA: terminal_0: Listening/m],
  ])('announce ports as models of generation %i do', async (generation, line) => {
    await start({}, `generation=${generation}`).waitFor(line);
  });

  it('announce ports through a command', async () => {
    const model = start({
      'bp.terminal_0.start_telnet': 1,
      'bp.terminal_0.quiet': 1,
      'bp.terminal_0.terminal_command': 'echo bp.terminal_0: port %port',
    });
    await model.waitFor(/^bp\.terminal_0: port \d+$/m);
  });

  it('negotiate in telnet mode, and double 0xff', async () => {
    const model = start({ 'bp.terminal_0.mode': 'telnet' }, 'noise');
    const client = await model.terminal(0);
    await client.waitFor(/^\xff\xfb\x01\xff\xfb\x03\xff\xfd\x03/);
    await client.waitFor(/Booting Trusted Firmware.*\xff\xff\xfe/);
  });

  it('send bytes as they are in raw mode', async () => {
    const model = start({ 'bp.terminal_3.mode': 'raw' });
    const client = await model.terminal(3);
    await client.waitFor(/^Booting RMM v\.0\.7\.0/);
  });

  it('have one client each', async () => {
    const model = start({});
    const first = await model.terminal(0);
    await first.waitFor(/Run \/sbin\/init/);
    await (
      await model.terminal(0)
    ).closed;
  });

  it('hold up the whole model when nobody reads one of them', async () => {
    const model = start({}, 'flood=2,flood-bytes=40000,buffer-bytes=1000,delay=2');
    const host = await model.terminal(0);
    await host.waitFor(/Booting Trusted Firmware/);
    expect(host.text).not.toContain('Run /sbin/init');
    const secure = await model.terminal(2);
    await host.waitFor(/Run \/sbin\/init/);
    expect(secure.text).toContain('this world has a lot to say');
  });

  it('say nothing until the end where standard output is buffered in blocks', async () => {
    const model = start({}, 'buffered');
    // Nothing tells the port, so it is found by trying.
    const connected = async (): Promise<boolean> => {
      const client = new TerminalClient(basePort);
      const greeted = client.waitFor(/Booting Trusted Firmware/).then(() => true);
      return await Promise.race([greeted, client.closed.then(() => false)]);
    };
    await expect.poll(connected).toBe(true);
    expect(model.text).toBe('');
    model.process.kill('SIGINT');
    await model.exit;
    expect(model.text).toContain('terminal_3: Listening');
  });

  it('forward the next port where one is taken', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const model = start({ 'bp.hostbridge.userNetworking': 1, 'bp.hostbridge.userNetPorts': `${taken}=22` });
      await model.waitFor(new RegExp(`Warning: .*bp\\.hostbridge: Unable to bind to port '${taken}'`));
      await model.waitFor(/Info: .*bp\.hostbridge: \.\.\.binding to port \d+ instead/);
    } finally {
      server.close();
    }
  });

  it('are copied to files', async () => {
    const file = join(folder, 'uart3.log');
    const model = start({ 'bp.pl011_uart3.out_file': file });
    await (await model.terminal(0)).waitFor(/Run \/sbin\/init/);
    expect(readFileSync(file, 'utf8')).toMatch(/^Booting RMM v\.0\.7\.0/);
  });
});

describe('the end of the stand-in', () => {
  it('is told with statistics where they were asked for', async () => {
    const model = start({}, '', ['--stat']);
    await (await model.terminal(0)).waitFor(/Run \/sbin\/init/);
    model.process.kill('SIGINT');
    expect(await model.exit).toBe(0);
    expect(model.text).toMatch(/Simulation stopped by user\.\n\n--- FVP_Base_RevC_2xAEMvA statistics: -+\n/);
  });

  it.each([
    ['a clean end that aborts', 'abort', 134],
    ['an exit at a stage', 'exit=rmm:7', 7],
    ['an exit before any port is open', 'exit=model:1', 1],
  ])('has the code of %s', async (_, faults, code) => {
    const model = start({}, faults);
    if (faults === 'abort') {
      await (await model.terminal(0)).waitFor(/Run \/sbin\/init/);
      model.process.kill('SIGINT');
    }
    expect(await model.exit).toBe(code);
  });

  it('comes with SIGTERM, unless it is stubborn', async () => {
    const model = start({});
    await model.port(3);
    model.process.kill('SIGTERM');
    expect(await model.exit).toBe('SIGTERM');
    const stubborn = start({}, 'stubborn');
    const client = await stubborn.terminal(0);
    stubborn.process.kill('SIGTERM');
    await client.waitFor(/Run \/sbin\/init/);
    stubborn.process.kill('SIGKILL');
    expect(await stubborn.exit).toBe('SIGKILL');
  });
});
