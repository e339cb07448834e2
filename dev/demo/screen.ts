import { styleText } from 'node:util';
import type { Tenant } from '../../src/api/tenant.ts';
import { cut, fleetTable, tenantLine } from './fleet-table.ts';
import type { TableLine } from './fleet-table.ts';

/** Where the tour tells its story: lines that stay, and, on a terminal, the fleet below them as it is now. */
export interface Screen {
  readonly print: (text: string) => void;
  /** What is going on; shown with its duration until it is replaced or ended by `undefined`. */
  activity(title: string | undefined): void;
  /** The fleet has changed. */
  changed(tenant: Tenant, deleted: boolean): void;
  /** Draws no more. */
  close(): void;
}

export function createScreen(tenants: () => readonly Tenant[]): Screen {
  return process.stdout.isTTY ? terminalScreen(process.stdout, tenants) : plainScreen(process.stdout);
}

const redrawMs = 200;
const plainRepeatMs = 10_000;

/** Without a terminal: each Tenant's line whenever it has changed, and a sign of life now and then. */
export function plainScreen(output: Pick<NodeJS.WriteStream, 'write'>): Screen {
  const lines = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  const print = (text: string): void => void output.write(`${text}\n`);
  return {
    print,
    activity: (title) => {
      clearInterval(timer);
      if (title === undefined) return;
      const sinceMs = Date.now();
      timer = setInterval(() => print(`  … ${seconds(Date.now() - sinceMs)}`), plainRepeatMs).unref();
    },
    changed: (tenant, deleted) => {
      const { name } = tenant.metadata;
      const line = deleted ? `${name.padEnd(14)} is gone` : tenantLine(tenant);
      if (lines.get(name) === line || (tenant.status?.conditions === undefined && !deleted)) return;
      lines.set(name, line);
      print(`    ${line}`);
    },
    close: () => clearInterval(timer),
  };
}

const styles = { good: 'green', bad: 'red', busy: 'yellow', plain: 'bold' } as const;

/** On a terminal: the fleet and the activity are drawn below everything else, again and again. */
function terminalScreen(output: NodeJS.WriteStream, tenants: () => readonly Tenant[]): Screen {
  let drawn = 0;
  let activity: { title: string; sinceMs: number } | undefined;
  const erase = (): string => (drawn === 0 ? '' : `\u001B[${drawn}A\u001B[0J`);
  const draw = (above = ''): void => {
    const width = Math.max(20, output.columns - 1);
    const status =
      activity === undefined ? '' : `  ${activity.title} … ${seconds(Date.now() - activity.sinceMs)}`;
    // What is taller than the terminal can't be erased again.
    const maxRows = Math.max(0, output.rows - 6);
    const table = fleetTable(tenants(), { nowMs: Date.now(), width, maxRows }).map(styled);
    const lines = ['', ...table, '', styleText('cyan', cut(status, width))];
    output.write(`${erase()}${above}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  // Hidden while it would jump about; shown again however the program ends.
  output.write('\u001B[?25l');
  const showCursor = (): void => void output.write('\u001B[?25h');
  process.once('exit', showCursor);
  const timer = setInterval(draw, redrawMs).unref();
  return {
    print: (text) => draw(`${text}\n`),
    activity: (title) => {
      activity = title === undefined ? undefined : { title, sinceMs: Date.now() };
      draw();
    },
    changed: () => draw(),
    close: () => {
      clearInterval(timer);
      activity = undefined;
      process.off('exit', showCursor);
      showCursor();
    },
  };
}

function styled({ text, tone }: TableLine): string {
  return styleText(styles[tone], text);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
