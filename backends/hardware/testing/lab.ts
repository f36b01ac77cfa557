import type { HostConfig } from '../hosts/schema.ts';
import { HostFolder } from '../remote/host-folder.ts';
import { RemoteLaunch, type LaunchOptions } from '../remote/launch.ts';
import { RemoteHost } from '../ssh/remote-host.ts';

/** Collects the output of a launch. */
export class Output {
  bytes = 0;
  text = '';
  readonly #waiting = new Set<() => void>();

  readonly take = (bytes: Uint8Array): void => {
    this.bytes += bytes.length;
    // Enough for every test that reads the text; floods are only counted.
    if (this.text.length < 1_000_000) this.text += Buffer.from(bytes).toString('latin1');
    for (const wake of this.#waiting) wake();
  };

  async until(what: string | RegExp): Promise<void> {
    while (typeof what === 'string' ? !this.text.includes(what) : !what.test(this.text)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

/** Starts a shell script on a host. */
export async function launchScript(
  config: HostConfig,
  script: string,
  extra: Partial<LaunchOptions> = {},
): Promise<{ host: RemoteHost; home: HostFolder; launch: RemoteLaunch; output: Output; log: string[] }> {
  const host = new RemoteHost(config);
  const output = new Output();
  const log: string[] = [];
  try {
    const home = await HostFolder.open(host);
    const launch = await RemoteLaunch.start(host, home, {
      argv: () => ['sh', '-c', script],
      output: output.take,
      log: (line) => log.push(line),
      ...extra,
    });
    return { host, home, launch, output, log };
  } catch (error) {
    host.close();
    throw error;
  }
}
