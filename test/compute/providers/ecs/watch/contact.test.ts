import { beforeEach, describe, expect, test } from 'vitest';
import { createContact } from '../../../../../src/compute/providers/ecs/watch/contact.ts';
import type { Contact } from '../../../../../src/compute/providers/ecs/watch/contact.ts';

const at = (service: string, cluster = 'one') => ({ scope: { region: 'us-west-2' }, cluster, service });
const a = at('a');

let nowMs: number;
let contact: Contact;
beforeEach(() => {
  nowMs = 1_000_000;
  contact = createContact(() => nowMs);
});

describe('what was seen of a service counts', () => {
  test('not before ECS has answered, and for a minute after its cluster did last', () => {
    expect([contact.isHeld(a), contact.silentForMs(a)]).toEqual([false, Infinity]);
    contact.note(a);
    nowMs += 59_999;
    expect([contact.isHeld(a), contact.silentForMs(a)]).toEqual([true, 59_999]);
    nowMs += 1;
    expect(contact.isHeld(a)).toBe(false);
    contact.note(at('b', 'two'));
    expect(contact.isHeld(a)).toBe(false);
    contact.note(at('b'));
    expect(contact.isHeld(a)).toBe(true);
  });

  test('not once it was lost, until ECS has answered of it itself', () => {
    contact.note(a);
    expect([contact.lose(a), contact.lose(a), contact.isHeld(a)]).toEqual([true, false, false]);
    contact.note(at('b'));
    expect([contact.regain(a), contact.regain(a), contact.isHeld(a)]).toEqual([true, false, false]);
    expect([contact.note(a), contact.isHeld(a)]).toEqual([false, true]);
    expect(contact.regain(a)).toBe(false);
  });

  test('and that ECS answers of what was lost is news, once', () => {
    contact.lose(a);
    expect([contact.note(a), contact.note(a)]).toEqual([true, false]);
  });

  test('as if it had never been lost, once it was forgotten', () => {
    contact.note(a);
    contact.lose(a);
    contact.forget(a);
    expect([contact.isHeld(a), contact.lose(a)]).toEqual([true, true]);
  });
});
