// One child by each way there is, a worker, and what each of them sees of its options.
const { execFileSync, execSync, fork, spawn } = require('child_process');
const { Worker } = require('worker_threads');
if (process.argv[2] === 'child') {
  console.log(process.env.NODE_OPTIONS, process.execArgv.join());
} else {
  const { NODE_OPTIONS: _, ...bare } = process.env;
  console.log(String(execFileSync(process.execPath, [__filename, 'child'])));
  console.log(String(execSync(`"${process.execPath}" "${__filename}" child`, { env: { PATH: process.env.PATH } })));
  console.log(String(execFileSync(process.execPath, [__filename, 'child'], { env: { ...bare, NODE_OPTIONS: '--no-warnings' } })));
  fork(__filename, ['child']).on('exit', (code) => {
    spawn(process.execPath, [__filename, 'child'], { stdio: 'inherit' }).on('exit', () => {
      new Worker('console.log(process.env.NODE_OPTIONS, require("worker_threads").isMainThread)', { eval: true });
    });
  });
}
