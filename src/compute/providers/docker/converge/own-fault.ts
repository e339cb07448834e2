import type { EngineRefusal } from '../engine/engine.ts';

/** The state of the host or of its networks, whatever a container asks for. */
const ofTheHost = /ambiguous|invalid argument/i;

/** Whether the engine refuses what a container asks for, so that it would refuse the next one like it. */
export function isOwnFault({ kind, message }: EngineRefusal): boolean {
  return (kind === 'bad-command' || kind === 'invalid') && !ofTheHost.test(message);
}
