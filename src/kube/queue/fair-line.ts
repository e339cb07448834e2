import { createChain } from './chain.ts';
import type { Chain, Link } from './chain.ts';

/**
 * Keys that wait, those of a group in order of arrival. The groups take turns: of k groups, none waits for more than k
 * picks, however many keys another one has.
 */
export interface FairLine {
  put(key: string, group: string): Standing;
  /** Takes out the one whose turn it is. */
  take(): string | undefined;
  readonly size: number;
}

export interface Standing {
  /** Takes the key out, which still waits. */
  leave(): void;
}

interface Group {
  readonly keys: Chain<string>;
  turn: Link<string>;
}

export function createFairLine(): FairLine {
  const groups = new Map<string, Group>();
  /** Names of the groups, the next one first. */
  const turns = createChain<string>();
  let size = 0;

  function groupNamed(name: string): Group {
    const group = groups.get(name) ?? { keys: createChain<string>(), turn: turns.push(name) };
    groups.set(name, group);
    return group;
  }

  function drop(name: string, link: Link<string>): void {
    const group = groupNamed(name);
    group.keys.drop(link);
    size -= 1;
    if (group.keys.first !== undefined) return;
    turns.drop(group.turn);
    groups.delete(name);
  }

  return {
    put(key, name) {
      const link = groupNamed(name).keys.push(key);
      size += 1;
      return { leave: () => drop(name, link) };
    },
    take() {
      const name = turns.first?.value;
      const group = name === undefined ? undefined : groups.get(name);
      const link = group?.keys.first;
      if (name === undefined || group === undefined || link === undefined) return undefined;
      turns.drop(group.turn);
      group.turn = turns.push(name);
      drop(name, link);
      return link.value;
    },
    get size() {
      return size;
    },
  };
}
