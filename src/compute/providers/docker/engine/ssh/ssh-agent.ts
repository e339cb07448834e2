import { Agent } from 'node:http';
import type { EngineTraffic } from '../engine-traffic.ts';
import { SshConnection } from './ssh-connection.ts';
import type { SshLogins } from './ssh-logins.ts';

/**
 * Reaches a Docker Engine the way the docker command does: `ssh HOST docker system dial-stdio`. So ~/.ssh/config, the
 * agent and known_hosts count; the ssh client within docker-modem would trust any host key, and log in anew for each
 * request. At most as many at once as the share of `traffic`: further requests wait for one of them.
 */
export function sshAgent(logins: SshLogins, traffic: EngineTraffic, keepAlive: boolean): Agent {
  const agent = new Agent({ keepAlive });
  Object.defineProperty(agent, 'maxSockets', { get: () => logins.shares()[traffic] });
  agent.createConnection = () => new SshConnection(logins, traffic);
  return agent;
}
