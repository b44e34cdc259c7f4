import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { installFolder } from '../install-folder.ts';

/** Entry of the bundle. Nothing is loaded before the compile cache is on. */
enableCompileCache(join(installFolder(), '.cache', 'compile'));
const { runProgram } = await import('./program.ts');
const code = await runProgram(process.argv.slice(2));
process.stdout.write('', () => process.exit(code));
