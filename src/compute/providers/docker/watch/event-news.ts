import type { EngineEvent } from '../engine/engine.ts';
import { servingName } from '../state/container-name.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** The event of a start is dated a little after it. */
const startLagMs = 2_000;

/**
 * The container after an event that says all of what has become of it. Undefined: the engine must be asked. The event of a
 * call of our own mostly comes after its answer, or after the look that followed. Events come in their order, so that what
 * came in between has put what was seen in doubt.
 */
export function toldByEvent(
  { action, attributes, timeMs }: EngineEvent,
  container: ObservedContainer,
): ObservedContainer | undefined {
  switch (action) {
    case 'create':
      return container;
    case 'rename':
      return renamed(attributes, container);
    case 'start': {
      const sinceMs = timeMs - (container.inspected?.startedMs ?? Infinity);
      return container.state === 'running' && sinceMs >= 0 && sinceMs < startLagMs ? container : undefined;
    }
    default:
      return undefined;
  }
}

/** One that takes a name which is no longer its own is none of ours any more: an inspect tells. */
function renamed(
  { name = '', oldName = '' }: EngineEvent['attributes'],
  container: ObservedContainer,
): ObservedContainer | undefined {
  const [now, before] = [withoutSlash(name), withoutSlash(oldName)];
  if (now === container.name) return container;
  const isStillOwn = servingName(now) === servingName(before);
  return before === container.name && isStillOwn ? { ...container, name: now } : undefined;
}

function withoutSlash(name: string): string {
  return name.replace(/^\//, '');
}
