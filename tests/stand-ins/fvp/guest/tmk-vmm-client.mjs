// tmk_vmm as plane 0 starts it: hands its command line to the model, which has the realm, and prints what comes back.
// It is plain JavaScript because it starts once for each test.
import { connect } from 'node:net';

const socket = connect(`\0${process.env.PETRI_STAND_IN_SOCKET}`);
let rest = '';
let code = 137;
socket.setEncoding('utf8');
socket.on('error', () => process.exit(code));
socket.on('close', () => process.exit(code));
socket.on('data', (text) => {
  const lines = `${rest}${text}`.split('\n');
  rest = lines.pop();
  for (const line of lines) {
    const { out, err, exit } = JSON.parse(line);
    // Standard output is a pipe or a terminal: both are written synchronously.
    if (out !== undefined) process.stdout.write(out);
    if (err !== undefined) process.stderr.write(err);
    if (exit !== undefined) code = exit;
  }
});
socket.write(
  `${JSON.stringify({
    kind: 'tmk',
    argv: process.argv.slice(2),
    folder: process.cwd(),
    realm: JSON.parse(process.env.PETRI_STAND_IN_REALM),
    colour: (process.env.NO_COLOR ?? '') === '',
  })}\n`,
);
