/** Started by registry-relay.ts inside a network namespace: listens there, and hands the socket to its parent. */
import { createServer } from 'node:net';

const server = createServer();
server.listen(Number(process.argv[2]), '0.0.0.0', () => {
  process.send?.('listening', server, {}, () => process.exit());
});
