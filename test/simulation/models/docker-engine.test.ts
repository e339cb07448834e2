import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRandom } from '../random.ts';
import { isUp } from './docker-container.ts';
import type { Container } from './docker-container.ts';
import { create, createDockerEngine, start, unpause } from './docker-engine.ts';
import type { DockerEngine } from './docker-engine.ts';

/** That the model does what an engine does where the operator must heed it. */

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

function run(image: string, Healthcheck?: { Interval: number }): readonly [DockerEngine, Container] {
  const engine = createDockerEngine('one', createRandom(1));
  engine.images.add(image);
  const id = create(engine, 'person', 'app', { Image: image, ...(Healthcheck && { Healthcheck }) });
  start(engine, 'person', id);
  return [engine, engine.find(id) as Container];
}

/** As `docker commit` does. */
function pauseFor(engine: DockerEngine, container: Container, ms: number): void {
  container.state = 'paused';
  vi.advanceTimersByTime(ms);
  unpause(engine, 'person', container.id);
}

test('a process whose end falls into a pause ends once it goes on', () => {
  const [engine, container] = run('crash:1');
  pauseFor(engine, container, 1_000);
  expect(isUp(container)).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect(container.state).toBe('exited');
});

test('a health check that falls into a pause is made once it is over', () => {
  const [engine, container] = run('app:1', { Interval: 2e9 });
  pauseFor(engine, container, 3_000);
  expect(container.health).toBe('starting');
  vi.advanceTimersByTime(3_000);
  expect(container.health).toBe('healthy');
});
