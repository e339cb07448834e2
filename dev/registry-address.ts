import { randomInt } from 'node:crypto';

/** The port of all registries; registry-relay.ts tells them apart by their address. Nothing well-known has it. */
export const registryPort = 5959;

/** An address of the loopback network, which engines talk to without TLS, out of 16 million. */
export function randomRegistryAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}:${registryPort}`;
}
