/** Shows that something long is still going on; nothing is printed for what ends within two seconds. */

const quietMs = 2_000;
const terminalRedrawMs = 500;
const plainRepeatMs = 10_000;

interface Activity {
  readonly title: string;
  readonly startedAt: number;
  detail: string;
  lastPlainAt: number;
}

const activities = new Set<Activity>();
let timer: NodeJS.Timeout | undefined;
let lineIsOpen = false;

/**
 * Runs `work` and keeps a progress line on stderr while it lasts: on a terminal one line that is rewritten and shows
 * all that runs at once, elsewhere a line every ten seconds. `note` sets a detail shown behind the elapsed time.
 */
export async function withProgress<T>(
  title: string,
  work: (note: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const activity: Activity = { title, startedAt: Date.now(), detail: '', lastPlainAt: 0 };
  activities.add(activity);
  timer ??= setInterval(draw, terminalRedrawMs).unref();
  let outcome = 'failed';
  try {
    const result = await work((detail) => {
      activity.detail = detail;
    });
    outcome = 'done';
    return result;
  } finally {
    finish(activity, outcome);
  }
}

function finish(activity: Activity, outcome: string): void {
  activities.delete(activity);
  clearLine();
  const elapsed = Date.now() - activity.startedAt;
  if (elapsed >= quietMs) process.stderr.write(`${activity.title}: ${outcome} after ${seconds(elapsed)}\n`);
  if (activities.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function draw(): void {
  const now = Date.now();
  const long = [...activities].filter((activity) => now - activity.startedAt >= quietMs);
  if (long.length === 0) return;
  if (process.stderr.isTTY) {
    const line = long.map((activity) => describe(activity, now)).join(' | ');
    process.stderr.write(`\r\u001B[2K${line.slice(0, Math.max(20, process.stderr.columns - 1))}`);
    lineIsOpen = true;
    return;
  }
  for (const activity of long) {
    if (now - activity.lastPlainAt < plainRepeatMs) continue;
    activity.lastPlainAt = now;
    process.stderr.write(`${describe(activity, now)}\n`);
  }
}

function clearLine(): void {
  if (lineIsOpen) process.stderr.write('\r\u001B[2K');
  lineIsOpen = false;
}

function describe(activity: Activity, now: number): string {
  const detail = activity.detail === '' ? '' : `, ${activity.detail}`;
  return `${activity.title} … ${seconds(now - activity.startedAt)}${detail}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
