import type { HostConfig } from './hosts/schema.ts';
import { FileLeases } from './lease/file-lease.ts';
import { labgridLease } from './lease/labgrid-lease.ts';
import type { Lease, LeaseWait } from './lease/lease.ts';
import { HostFolder } from './remote/host-folder.ts';
import { RemoteHost } from './ssh/remote-host.ts';

/** The right to launch something on a machine, until it is released. */
export interface MachineUse {
  readonly machine: Machine;
  readonly home: HostFolder;
  readonly lease: Lease;
  /** Idempotent; never rejects. */
  release(): Promise<void>;
}

/** A host as used by this process: one connection, and the leases held there. */
export class Machine {
  readonly config: HostConfig;
  readonly host: RemoteHost;
  #home: Promise<HostFolder> | undefined;
  /** Leases that are held but not in use. */
  readonly #idle = new Set<Lease>();
  readonly #used = new Set<Lease>();

  constructor(config: HostConfig) {
    this.config = config;
    this.host = new RemoteHost(config);
  }

  get name(): string {
    return this.config.name;
  }

  /** Our folder there. @throws PetriError `upload-failed` and what connecting throws */
  async home(): Promise<HostFolder> {
    this.#home ??= HostFolder.open(this.host);
    // The next attempt may succeed.
    this.#home.catch(() => (this.#home = undefined));
    return await this.#home;
  }

  /** @throws PetriError `wait-timeout`, `lease-lost`, `connection-failed` and the like */
  async use(wait: LeaseWait): Promise<MachineUse> {
    const home = await this.home();
    const lease = this.#takeIdle() ?? (await this.#acquire(home, wait));
    this.#used.add(lease);
    let released = false;
    return {
      machine: this,
      home,
      lease,
      release: async () => {
        if (released) return;
        released = true;
        this.#used.delete(lease);
        await this.#putBack(lease);
      },
    };
  }

  async #acquire(home: HostFolder, wait: LeaseWait): Promise<Lease> {
    const { config } = this;
    if (config.lease.kind === 'labgrid') return await labgridLease(config.lease, config.name, wait);
    const lease = await new FileLeases(this.host, home, config.lease).acquire(wait);
    // Ends what an earlier user of the machine left running.
    await this.host.run(['sh', await home.script('launch.sh'), 'sweep', home.path], { again: true });
    return lease;
  }

  #takeIdle(): Lease | undefined {
    const [lease] = this.#idle;
    if (lease !== undefined) this.#idle.delete(lease);
    return lease;
  }

  /** Keeps the lease for the next test of this run, unless another process waits for it. */
  async #putBack(lease: Lease): Promise<void> {
    if (lease.waiting > 0) {
      await lease.release();
      return;
    }
    this.#idle.add(lease);
    void lease.lost.then(() => this.#idle.delete(lease));
    void lease.wanted?.then(async () => {
      if (!this.#idle.delete(lease)) return;
      await lease.release();
    });
  }

  /** Gives leases back and ends the connection. Never rejects. */
  async close(): Promise<void> {
    const leases = [...this.#idle, ...this.#used];
    this.#idle.clear();
    await Promise.all(leases.map((lease) => lease.release()));
    this.host.close();
  }
}
