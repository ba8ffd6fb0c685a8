// Inside the sandbox, where there is no network: offers the gateway's socket as a port of the sandbox's own loopback, and runs the agent on our own
// input and output. It stands alone: nothing else of ours is in reach there. Usage: bridge-entry.ts SOCKET PORT PROGRAM [ARGUMENT…]
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [socket = '', port, program = '', ...args] = process.argv.slice(2);

const server = createServer((near) => {
  const far = connect(socket);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
});

server.listen(Number(port), '127.0.0.1', () => {
  const agent = spawn(program, args, { stdio: 'inherit' });
  agent.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  agent.on('exit', (code) => process.exit(code ?? 1));
});
