import { Testbed } from './Testbed.js';

/** A worker in a process of its own, for tests that kill it: `workerProcess.ts <database URL> <engine options as JSON>`. */
const [url, setup] = process.argv.slice(2) as [string, string];
const bed = await Testbed.open(url);
await bed.engine(JSON.parse(setup)).start();
process.send?.('started');
process.on('disconnect', () => process.exit());
