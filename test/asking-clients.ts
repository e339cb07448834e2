import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { isThorough } from './thorough.ts';

/** Who asks an HTTP server while something happens to it. */

export const clients = 8;

/** What is asked by a connection of its own each time. */
export const newConnections = isThorough ? 10_000 : 2_500;

/** Of each client between two questions, in milliseconds: without it they take all of the machine that they get. */
const pauseMs = 5;

interface Asked {
  readonly host: string;
  readonly port: number;
  readonly keepAlive?: boolean;
}

/**
 * Clients that ask again and again, until `isOver` and at least so many times; each time by a new connection, unless they keep the
 * one that they have.
 */
export async function ask({ host, port, keepAlive = false }: Asked, least: number, isOver: () => boolean) {
  const agent = new Agent({ keepAlive, maxSockets: clients });
  const sockets = new Set<unknown>();
  const answers = new Map<string, number>();
  const lost: string[] = [];
  let asked = 0;
  const once = async (): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = get({ host, port, agent, timeout: 20_000 }, (response) => {
        text(response).then(resolve, reject);
      });
      request.on('socket', (socket) => sockets.add(socket));
      request.on('timeout', () => request.destroy(new Error('no answer in 20 s')));
      request.on('error', reject);
    });
  const client = async (): Promise<void> => {
    while (!isOver() || asked < least) {
      asked += 1;
      try {
        const answer = await once();
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      } catch (error) {
        lost.push(String(error));
      }
      await delay(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return { asked, answers, lost, connections: sockets.size };
}
