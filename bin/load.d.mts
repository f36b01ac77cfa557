export declare function load(path: string): Promise<unknown>;
