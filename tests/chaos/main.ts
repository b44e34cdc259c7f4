import { kills } from './kills.ts';
import { help, readOptions } from './options.ts';
import { print } from './report.ts';
import { soak } from './soak.ts';

const options = readOptions(process.argv.slice(2));
if (!options) print(help);
else {
  const well = await (options.soak > 0 ? soak(options) : kills(options));
  print(well ? 'All is well.' : 'Not as it must be.');
  process.exitCode = well ? 0 : 1;
}
