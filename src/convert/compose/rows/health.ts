import { Unsayable } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { bool, dict, number, seconds, text, texts } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { ofContainer } from './row.ts';
import type { Row } from './row.ts';

export const healthRows: Readonly<Record<string, Row>> = { healthcheck };

/** Compose's own figures are not Landlord's: those that are not said are said here. */
function healthcheck(value: unknown, spot: Spot): readonly Finding[] {
  const check = dict(value);
  const place = (said: object): readonly Finding[] => [ofContainer(spot, ['healthCheck'], said)];
  // What is not disabled is the image's own check.
  if (Object.keys(check).every((key) => key === 'disable') && !bool(check['disable'] ?? 'false')) return [];
  if (bool(check['disable'] ?? 'false') || isNone(check['test'])) return place({ disable: true });
  const time = (key: string, otherwise: number): number =>
    check[key] === undefined || check[key] === null ? otherwise : seconds(check[key]) || otherwise;
  const retries = check['retries'] ?? null;
  return place({
    ...probeOf(check),
    intervalSeconds: time('interval', 30),
    timeoutSeconds: time('timeout', 30),
    retries: (retries === null ? 0 : number(retries)) || 3,
    ...(check['start_period'] === undefined ? {} : { startPeriodSeconds: time('start_period', 0) }),
    ...(check['start_interval'] === undefined ? {} : { startIntervalSeconds: time('start_interval', 5) }),
  });
}

function isNone(test: unknown): boolean {
  return Array.isArray(test) && test[0] === 'NONE';
}

function probeOf({ test }: Dict): object {
  if (test === undefined || test === null)
    throw new Unsayable("has figures for the image's own check alone: name its test");
  if (!Array.isArray(test)) return { shell: text(test) };
  const [way, ...rest] = texts(test);
  if (way === 'CMD') return { command: rest };
  if (way === 'CMD-SHELL') return { shell: rest.join(' ') };
  throw new Unsayable(`a test begins with CMD, CMD-SHELL or NONE, not "${way ?? ''}"`);
}
