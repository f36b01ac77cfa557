import { PetriError } from '../errors.ts';
import type { SerialConsole } from '../serial/index.ts';
import type { HaltReason, VmPayload } from '../contract/index.ts';
import type { Vm, VmOf, VmTmk } from '../vm/index.ts';
import type { AwaitLedger } from './await-ledger.ts';
import type { SeenEnds } from './seen-ends.ts';

/** Who watches what the body does with its VMs. */
export interface BodyWatch {
  readonly ledger: AwaitLedger;
  readonly ends: SeenEnds;
}

interface Underneath extends BodyWatch {
  readonly target: object;
}

/**
 * The test and the fixture may have come through different loaders, so no class of ours distinguishes a view from what
 * it shows.
 */
const underneath = Symbol.for('petri-vm.underneath');

/** What a value of a test body shows, and who watches it; the value itself, where nobody does. */
export function lookUnder<Value extends object>(value: Value): { readonly target: Value; readonly watch?: BodyWatch } {
  const found = Reflect.get(value, underneath) as Underneath | undefined;
  if (found === undefined) return { target: value };
  return { target: found.target as Value, watch: found };
}

/**
 * A VM as its test body has it. Every promise that it gives is entered in the ledger, whichever member it comes from,
 * and what it tells of its end has been seen. The framework, which goes by the VM itself, leaves no trace in either.
 */
export function bodyVm<V extends VmOf<VmPayload>>(vm: V, watch: BodyWatch): V {
  const views = new Map<SerialConsole, SerialConsole>();
  const viewOf = (console: SerialConsole): SerialConsole => {
    const known = views.get(console) ?? bodyConsole(vm, console, watch);
    views.set(console, known);
    return known;
  };
  const tmk = 'tmk' in vm ? bodyTmk(vm.tmk, watch) : undefined;
  const saw = (halt: HaltReason | undefined): HaltReason | undefined => {
    if (halt !== undefined) watch.ends.saw(halt);
    return halt;
  };
  return view(vm, 'vm', watch, {
    ...(tmk === undefined ? { tmk: foreign('tmk', 'tmk') } : { tmk: { value: tmk }, exec: foreign('exec', 'linux') }),
    consoles: { get: () => new Map([...vm.consoles].map(([name, console]) => [name, viewOf(console)])) },
    serial: { get: () => viewOf(vm.serial) },
    halted: { get: async () => saw(await vm.halted) },
    haltReason: { get: () => saw(vm.haltReason) },
    boots: {
      get: () => {
        for (const { halt } of vm.boots) saw(halt);
        return vm.boots;
      },
    },
  });
}

/** A member of VMs with another payload, for those who do not check the types of their tests. */
function foreign(name: string, kind: VmPayload['kind']): Members[string] {
  const get = (): never => {
    throw new PetriError(`vm.${name} is of VMs with a payload of kind '${kind}', which this one does not have`, {
      code: 'unsupported',
      step: 'run',
      remedy: `give the test a payload of kind '${kind}'`,
    });
  };
  return { get };
}

function bodyTmk(tmk: VmTmk, watch: BodyWatch): VmTmk {
  return view(tmk, 'vm.tmk', watch, {
    run: { value: async (name: string) => watch.ends.judged(await tmk.run(name)) },
  });
}

function bodyConsole(vm: Vm, console: SerialConsole, watch: BodyWatch): SerialConsole {
  const name = console === vm.serial ? 'vm.serial' : `vm.consoles.get(${JSON.stringify(console.name)})`;
  return view(console, name, watch, {});
}

/** What a member gives in place of its own value, as property descriptors have it. */
type Members = Readonly<Record<string, { readonly value: unknown } | { readonly get: () => unknown }>>;

function view<Target extends object>(target: Target, name: string, watch: BodyWatch, members: Members): Target {
  const own = new Map<PropertyKey, Members[string]>(Object.entries(members));
  const wrappers = new Map<PropertyKey, { readonly of: unknown; readonly wrapper: unknown }>();
  const given: Underneath = { ...watch, target };
  const get = (_target: Target, key: PropertyKey): unknown => {
    if (key === underneath) return given;
    const member = own.get(key);
    const value: unknown =
      member === undefined ? Reflect.get(target, key, target) : 'get' in member ? member.get() : member.value;
    if (value instanceof Promise) return watch.ledger.watch(`${name}.${String(key)}`, get, value);
    if (typeof value !== 'function' || key === 'constructor') return value;
    const known = wrappers.get(key);
    if (known?.of === value) return known.wrapper;
    const call = value as (...parameters: unknown[]) => unknown;
    const wrapper = (...parameters: unknown[]): unknown => {
      const result = call.apply(target, parameters);
      if (result instanceof Promise) return watch.ledger.watch(describe(name, key, parameters), wrapper, result);
      if (isAsyncGenerator(result))
        return watch.ledger.watchGenerator(describe(name, key, parameters), wrapper, result);
      return result;
    };
    wrappers.set(key, { of: value, wrapper });
    return wrapper;
  };
  return new Proxy(target, { get });
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value;
}

/** A call as the test has it, with its first argument where that says which one it is. */
function describe(name: string, key: PropertyKey, [first]: readonly unknown[]): string {
  const argument = typeof first === 'string' ? JSON.stringify(first) : first instanceof RegExp ? String(first) : '';
  return `${name}.${String(key)}(${argument})`;
}
