import { open } from 'node:fs/promises';
import { parseAuditLog } from '../../dev/control-plane.ts';
import type { AuditEntry } from '../../dev/control-plane.ts';

/** Reads what is new in an audit log, which all tests share and which grows long. */
export function followAuditLog(path: string, namespace: string): () => Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let offset = 0;
  let reading: Promise<void> = Promise.resolve();

  const readOn = async (): Promise<void> => {
    await using file = await open(path);
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(Math.max(0, size - offset)), 0, null, offset);
    const text = buffer.subarray(0, buffer.lastIndexOf('\n') + 1);
    offset += text.length;
    const ours = text
      .toString()
      .split('\n')
      .filter((line) => line.includes(namespace));
    entries.push(
      ...parseAuditLog(`${ours.join('\n')}\n`).filter(({ objectRef }) => objectRef?.namespace === namespace),
    );
  };

  return async () => {
    reading = reading.catch(() => undefined).then(readOn);
    await reading;
    return entries;
  };
}
