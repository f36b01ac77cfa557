import { load } from '../../../../bin/load.mjs';

const { main } = await load('tests/stand-ins/fvp/guest/lkvm');
await main(process.argv.slice(2));
