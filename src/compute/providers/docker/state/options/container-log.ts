import { ComputeError } from '../../../../errors.ts';
import { boundedLogOptions } from '../confinement/bounded-log.ts';
import { refused } from './options-asking.ts';
import type { OptionsAsking } from './options-asking.ts';

/** Where the output of one container goes, and how much of it is kept. Pure. */

export interface ContainerLog {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/** They keep what a container says on the disk of the engine. */
const onDisk: readonly string[] = ['json-file', 'local'];

/** Three files of 10 MB: as much as one has that says nothing. */
const mostBytes = 30_000_000;

/** Undefined: as all have it. Throws PolicyDenied, naming the rule, and InvalidSpec. */
export function logOf(asking: OptionsAsking): ContainerLog | undefined {
  const { asked, own, policy, config, block } = asking;
  if (asked.logging === undefined) return undefined;
  const { driver = 'json-file', options = {} } = asked.logging;
  // Of one origin, so that their keys come in one order.
  const isOwn = JSON.stringify(asked.logging) === JSON.stringify(own.logging);
  if (!isOwn && !policy.allow_log_drivers.includes(driver)) {
    throw refused(asking, 'allow_log_drivers', `log driver ${driver} is not allowed`);
  }
  if (!onDisk.includes(driver)) return { driver, options };
  const isUnlimited = config.unlimited?.includes('log') === true;
  const log = { driver, options: isUnlimited ? options : { ...boundedLogOptions, ...options } };
  const mayBeLarge = isOwn || policy.allow_unlimited || block.unlimited?.includes('log') === true;
  const excess = mayBeLarge ? undefined : excessOf(log.options);
  if (excess === undefined) return log;
  throw refused(asking, 'allow_unlimited', `logging.options: ${excess}`);
}

/** What of it goes beyond the bounds; undefined: nothing. */
function excessOf(options: ContainerLog['options']): string | undefined {
  // The engine itself would hold it in memory.
  if (options['max-buffer-size'] !== undefined) return 'max-buffer-size is not allowed';
  const { 'max-size': size = '', 'max-file': files = '' } = options;
  if (bytesOf(size) * countOf(files) <= mostBytes) return undefined;
  return `${files} files of ${size} are more than 30 MB`;
}

/** As the engine reads it: `10m` is 10 million bytes. */
function bytesOf(size: string): number {
  const [, figure, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(size) ?? [];
  if (size === '-1') return Infinity;
  if (figure === undefined || Number(figure) === 0) {
    throw new ComputeError('InvalidSpec', `logging.options: max-size ${size} is no size such as 10m`);
  }
  return Number(figure) * 1000 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' ');
}

function countOf(files: string): number {
  if (/^[1-9]\d{0,5}$/.test(files)) return Number(files);
  throw new ComputeError('InvalidSpec', `logging.options: max-file ${files} is no number of files`);
}
