import type { Missing, ProbeResult, Feature, IsolationType } from '../../../petri/contract/index.ts';
import { slowFactor } from '../../../petri/slow-factor.ts';
import { PetriError } from '../../../petri/errors.ts';
import { linuxLimits } from '../../../petri/kit/qemu/index.ts';
import { hostsFilePath, readHostsFile } from '../hosts/hosts-file.ts';
import type { HostConfig } from '../hosts/schema.ts';
import { runTags } from '../lab.ts';
import { assess, type Assessment } from './assess.ts';
import { askHost, type HostFacts } from './host-facts.ts';
import { localNeeds, type LocalNeeds } from './local-needs.ts';

const MIB = 2 ** 20;

/** Milliseconds from requesting a free machine until the payload runs. */
const BOOT = { none: 30_000, confidential: 180_000 };
/** Factor for time-outs: a launcher is a process on another machine, much slower than calls in this one. */
const FACTOR = 10;

interface Asked {
  readonly host: HostConfig;
  readonly answer: { readonly facts: HostFacts; readonly assessment: Assessment } | { readonly missing: Missing };
}

/** Queries every host of the hosts file that this run may use, at once. Never throws. */
export async function probeLab(): Promise<ProbeResult> {
  let hosts: HostConfig[];
  try {
    hosts = readHostsFile(hostsFilePath(process.cwd()));
  } catch (error) {
    return { available: false, missing: [missingOf(error)] };
  }
  const tags = runTags();
  const wanted = hosts.filter((host) => tags.every((tag) => tag === host.name || host.tags.includes(tag)));
  if (wanted.length === 0) {
    return {
      available: false,
      missing: [
        { what: `no host has the tags ${tags.join(', ')} (PETRI_HOST_TAGS)`, remedy: 'npx petri hosts lists them' },
      ],
    };
  }
  const here = localNeeds(hostsFilePath(process.cwd()), wanted);
  return summarize(await Promise.all(wanted.map(ask)), here);
}

async function ask(host: HostConfig): Promise<Asked> {
  try {
    const facts = await askHost(host);
    return { host, answer: { facts, assessment: assess(host, facts) } };
  } catch (error) {
    return { host, answer: { missing: missingOf(error) } };
  }
}

function summarize(asked: readonly Asked[], here: LocalNeeds): ProbeResult {
  const isolation = new Map<IsolationType, readonly Feature[]>();
  const missing: Missing[] = [...here.missing];
  const able = new Set<HostConfig>();
  for (const { host, answer } of asked) {
    if ('missing' in answer) {
      missing.push(answer.missing);
      continue;
    }
    for (const [type, result] of answer.assessment) {
      if ('missing' in result) {
        missing.push(result.missing);
        continue;
      }
      able.add(host);
      // A test may run on any of the hosts, so only common features can be relied on.
      const known = isolation.get(type);
      isolation.set(type, known === undefined ? result.features : known.filter((one) => result.features.includes(one)));
    }
  }
  if (isolation.size === 0) return { available: false, missing };
  const memories = asked.flatMap(({ host, answer }) =>
    able.has(host) && 'facts' in answer ? [answer.facts.memory / host.capacity] : [],
  );
  // RAM of the monitor's guests ends below 0xff000000.
  const maxMemory = Math.min(2032 * MIB, Math.max(64 * MIB, Math.floor(Math.max(...memories) / (2 * MIB)) * 2 * MIB));
  // Limits of a TMK are checked before it is launched.
  const maxVcpus = isolation.get('none')?.includes('linux') === true ? linuxLimits.maxVcpus : 1;
  const confidential = [...isolation.keys()].some((type) => type !== 'none');
  return {
    available: true,
    isolation: Object.fromEntries(isolation),
    limits: { minMemory: 4 * MIB, maxMemory, maxVcpus, maxPlanes: 1 },
    pace: {
      boot: (confidential ? BOOT.confidential : BOOT.none) * slowFactor(),
      factor: FACTOR,
      parallel: [...able].reduce((sum, { capacity }) => sum + capacity, 0),
    },
    facts: {
      ...here.facts,
      hosts: [...able].map(({ name }) => name).join(', '),
      ...(missing.length > 0 ? { lacking: missing.map(({ what }) => what).join('; ') } : {}),
    },
  };
}

export function missingOf(error: unknown): Missing {
  if (!(error instanceof PetriError)) return { what: String(error), remedy: 'report this as a defect' };
  return { what: error.message.split('\n  remedy:')[0] ?? error.message, remedy: error.remedy ?? '' };
}
