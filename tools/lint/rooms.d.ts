/**
 * The rooms of the house: folders with an `index.ts`, which is their face. They are in `petri/`; of `backends/`, each
 * backend is one, and each part of the simulator.
 */
export declare const rooms: readonly string[];

/** The room that a file is in, the innermost one; undefined for a file in none. */
export declare function roomOf(path: string): string | undefined;

/** A pattern of the paths of tests, and of what is there for them alone. */
export declare const testCode: string;

/** For dependency-cruiser: what is imported from another room of `petri/` is imported from its face. */
export declare const faceRules: readonly {
  readonly name: string;
  readonly from: { readonly pathNot: string };
  readonly to: { readonly path: string; readonly pathNot: readonly string[] };
}[];
