import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

// Below Linux's ephemeral range (32768): no outgoing connection takes such a port while its server is down for a restart.
const lowestPort = 20_000;
const highestPort = 32_000;

/**
 * A TCP port of 127.0.0.1 that nobody listens on. Chosen at random, so two programs that look at once rarely meet;
 * a server that loses the race all the same should be started again with another one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(lowestPort, highestPort);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free TCP port found between ${lowestPort} and ${highestPort} in 100 attempts`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
