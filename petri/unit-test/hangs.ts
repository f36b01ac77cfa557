/**
 * Milliseconds after which a unit test, one of its hooks, or something that it waits for is taken to hang. Tests run
 * compilers, machines and other processes on hosts whose cores may all be busy, and how long that takes proves nothing:
 * this is a net, far away from everything. No unit test has a deadline of its own.
 */
export const HANGS = 20 * 60_000;
