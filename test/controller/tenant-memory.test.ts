import { describe, expect, test } from 'vitest';
import { createTenantMemories, noteRepair, repairWaitMs } from '../../src/controller/tenant-memory.ts';
import type { TenantMemory } from '../../src/controller/tenant-memory.ts';

describe('repairs', () => {
  test('come at once after a settled run, then further and further apart, 5 minutes at most', () => {
    let now = 0;
    const memory: TenantMemory = {};
    const waits: number[] = [];
    for (let repair = 0; repair < 12; repair += 1) {
      waits.push(repairWaitMs(memory, 'stopped', now));
      now += repairWaitMs(memory, 'stopped', now);
      noteRepair(memory, 'stopped', now);
    }
    expect(waits).toEqual([
      0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ]);
    memory.repair = undefined;
    expect(repairWaitMs(memory, 'stopped', now)).toBe(0);
  });

  test('of what is gone do not wait for that of what had stopped before', () => {
    const memory: TenantMemory = {};
    noteRepair(memory, 'stopped', 0);
    expect(repairWaitMs(memory, 'gone', 0)).toBe(0);
    noteRepair(memory, 'gone', 0);
    expect(repairWaitMs(memory, 'gone', 0)).toBe(2000);
  });
});

describe('the memory of a tenant', () => {
  test('is one over all of its passes, and no other one’s', () => {
    const memories = createTenantMemories();
    expect(memories.of('a')).toBe(memories.of('a'));
    expect(memories.of('b')).not.toBe(memories.of('a'));
    expect(memories.peek('a')).toBe(memories.of('a'));
  });

  test('ends with the tenant, also where a pass over it goes on', () => {
    const memories = createTenantMemories();
    const underWay = memories.of('a');
    memories.forget('a');
    noteRepair(underWay, 'gone', 0);
    expect(memories.size).toBe(0);
    expect(memories.peek('a')).toBeUndefined();
    expect(memories.of('a')).toEqual({});
  });
});
