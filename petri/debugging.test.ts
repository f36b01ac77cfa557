import { expect, it } from 'vitest';

import { debuggerRequest, observationRequest, waitingDebugger } from './debugging.ts';

const refused: unknown = expect.objectContaining({ code: 'invalid-option' });

it('takes a port, and whether the guest waits, from the first variable that is set', () => {
  expect(debuggerRequest({})).toBe(undefined);
  expect(debuggerRequest({ PETRI_GDB: '' })).toBe(undefined);
  expect(debuggerRequest({ PETRI_GDB: '1234' })).toEqual({ port: 1234, wait: false });
  expect(debuggerRequest({ PETRI_GDB: waitingDebugger() })).toEqual({ port: 0, wait: true });
  expect(() => debuggerRequest({ PETRI_GDB: '65536' })).toThrow(refused);
  expect(() => waitingDebugger('1;2')).toThrow(refused);
});

it('takes traces and coverage from their variables', () => {
  expect(observationRequest({ PETRI_TRACE: '0', PETRI_GUEST_COVERAGE: 'false' })).toBe(undefined);
  expect(observationRequest({ PETRI_TRACE: '1' })).toEqual({ trace: true, coverage: false });
  expect(observationRequest({ PETRI_GUEST_COVERAGE: 'true' })).toEqual({ trace: false, coverage: true });
  expect(() => observationRequest({ PETRI_TRACE: 'file' })).toThrow(refused);
});
