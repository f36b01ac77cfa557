import { petriTest, tmk } from 'petri-vm';

for (let index = 0; index < 1000; index += 1) {
  petriTest('cca', `realm ${index} says hello`, {
    payload: tmk('hello'),
    expect: { serial: ['running test', 'hello world'], not: [/panic/i], halt: 'complete' },
  });
}
