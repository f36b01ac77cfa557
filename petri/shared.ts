/**
 * A value that this process has once. The configuration, the setup file and the tests may come to a module through
 * different loaders (Node's and Vite's), each with an instance of its own: what they are to share lives on
 * `globalThis`, and nowhere else is anything put there. What is set, or set anew, is a member of the value.
 *
 * @param name what it is, unique in the framework
 */
export function shared<T>(name: string, initial: () => T): T {
  const key = Symbol.for(`petri-vm.${name}`);
  const home = globalThis as { [key]?: T };
  home[key] ??= initial();
  return home[key];
}
