import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Site } from './site.ts';

export interface EngineEvent {
  readonly action: string;
  /** The tenant's name. */
  readonly tenant: string;
  /** By the engine's clock, since the epoch, with fractions. */
  readonly atMs: number;
}

/** What the engine has told of containers since the recording began, in its order. */
export interface EventRecord {
  length(): number;
  since(index: number): readonly EngineEvent[];
  stop(): void;
}

/** A site, and what its engine tells of the operator's containers. */
export interface RecordedSite {
  readonly site: Site;
  readonly record: EventRecord;
}

interface Message {
  readonly Action?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

/** Records the events of containers that bear `label` (key=value). */
export async function recordEvents(docker: Dockerode, label: string): Promise<EventRecord> {
  const filters = { type: ['container'], label: [label] };
  const stream = (await docker.getEvents({ filters: JSON.stringify(filters) })) as unknown as Readable;
  const events: EngineEvent[] = [];
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(eventOf(JSON.parse(line) as Message));
  });
  stream.on('error', () => undefined);
  return {
    length: () => events.length,
    since: (index) => events.slice(index),
    stop: () => void stream.destroy(),
  };
}

function eventOf({ Action = '', timeNano = 0, Actor }: Message): EngineEvent {
  return { action: Action, tenant: Actor?.Attributes?.['landlord.tenant_name'] ?? '', atMs: timeNano / 1e6 };
}
