const net = 'the time-out of the project is the net (vitest.config.ts)';

/** What makes a unit test wait for time, or fail for want of it. */
const forbidden = [
  ['CallExpression[callee.name="setTimeout"]', 'wait for what is to happen, not for time (petri/unit-test/)'],
  [
    'ImportDeclaration[source.value=/timers\\u002fpromises$/] > ImportSpecifier[imported.name="setTimeout"]',
    'wait for what is to happen, not for time (petri/unit-test/)',
  ],
  ['CallExpression[callee.object.name="performance"][callee.property.name="now"]', 'count work, do not measure time'],
  ['CallExpression[callee.object.name="Date"][callee.property.name="now"]', 'count work, do not measure time'],
  [
    'CallExpression[callee.object.name="vi"][callee.property.name=/^wait/]',
    'until() and expect.poll() have no deadline of their own',
  ],
  ['CallExpression[callee.property.name="poll"][arguments.length=2]', net],
  ['CallExpression[callee.name=/^(before|after)(Each|All)$/][arguments.length=2]', net],
  // it(…), it.only(…), it.skipIf(…)(…), it.concurrent.each(…)(…): with a number or an option.
  ...['callee.name', 'callee.object.name', 'callee.callee.object.name', 'callee.callee.object.object.name'].flatMap(
    (path) => [
      [`CallExpression[${path}=/^(it|test|describe)$/] > ObjectExpression > Property[key.name="timeout"]`, net],
      [`CallExpression[${path}=/^(it|test|describe)$/] > ArrowFunctionExpression + Literal`, net],
    ],
  ),
];

/** The linter's rule for unit tests: nothing in them depends on how long something takes. */
export const noClock = {
  rules: {
    'no-restricted-syntax': ['error', ...forbidden.map(([selector, message]) => ({ selector, message }))],
  },
};
