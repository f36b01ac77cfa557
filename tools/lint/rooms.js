import { readdirSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The rooms of the house: folders with an `index.ts`, which is their face. They are in `petri/`; of `backends/`, each
 * backend is one, and each part of the simulator.
 */
export const rooms = ['petri', 'backends'].flatMap((top) =>
  readdirSync(`${root}${top}`, { recursive: true })
    .map((path) => posix.join(top, path.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('/index.ts') && !path.includes('/node_modules/'))
    .map((path) => dirname(path))
    .filter((folder) => /^(petri\/.*|backends\/(sim\/)?[^/]+)$/.test(folder)),
);

/** The room that a file is in, the innermost one. */
export function roomOf(path) {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) if (rooms.includes(folder)) return folder;
  return undefined;
}

/** Tests, and what is there for them alone. */
export const testCode = String.raw`\.test\.ts$|/testing(/|\.ts$)|/fixtures/|^petri/unit-test/|^(tests|bench)/`;

/** What others import by name, as the package does. */
const { exports: entries } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const entryFiles = Object.values(entries).flatMap((entry) =>
  typeof entry === 'string' ? [] : [entry.default.replace('./dist/', '').replace(/\.js$/, '.ts')],
);

const escaped = (path) => path.replaceAll('.', String.raw`\.`);

/**
 * For dependency-cruiser: what is imported from another room of `petri/` is imported from its face. Test doubles have
 * no face, nor has an entry of the package. The rooms of `backends/` are held by arrows.js.
 */
export const faceRules = rooms
  .filter((room) => room.startsWith('petri/'))
  .map((room) => {
    const inside = rooms.filter((other) => other.startsWith(`${room}/`)).map((other) => `^${other}/`);
    return {
      name: `face-of-${room.slice('petri/'.length).replaceAll('/', '-')}`,
      comment: `Others import ${room}/index.ts, so that the rest of the room can change.`,
      severity: 'error',
      // What is in a room inside of this one is outside of it.
      from: { pathNot: `^${room}/(?!${inside.map((other) => other.slice(room.length + 2)).join('|') || '$'})` },
      to: {
        path: `^${room}/`,
        pathNot: [`^${room}/index\\.ts$`, testCode, ...inside, ...entryFiles.map((file) => `^${escaped(file)}$`)],
      },
    };
  });
