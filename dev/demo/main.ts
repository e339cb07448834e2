/**
 * `npm run demo`: a control plane, a Docker Engine, a registry, an ECS endpoint and the operator, a fleet of Tenants on them, and a tour
 * of what happens when things change. At a terminal it stays up until Ctrl-C. Exit code 1: a step did not come true.
 */
import { interruptedExitCode, interrupted, interruptible } from './interrupt.ts';
import { runTour } from './run-tour.ts';
import { createScreen } from './screen.ts';
import { setUpStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { tour } from './tour.ts';

let stage: Stage | undefined;
let print = (text: string): void => console.log(text);
const startedMs = performance.now();
const signal = interruptible(() => {
  print('\nStopping; Ctrl-C again to force it.');
  // While it is being set up nothing can be stopped in order, and the watchdog removes what is there.
  if (stage === undefined) process.exit(interruptedExitCode);
});

try {
  process.exitCode = await demo();
} catch (error) {
  process.exitCode = signal.aborted ? interruptedExitCode : 1;
  if (!signal.aborted)
    console.error(`The demo can't go on: ${error instanceof Error ? error.message : String(error)}`);
}

async function demo(): Promise<number> {
  console.log(
    'Landlord: Tenants become Docker containers and ECS services, on a control plane of their own.\n',
  );
  stage = await setUpStage(signal);
  console.log(welcome(stage));
  try {
    return await show(stage);
  } finally {
    await stage.close();
    console.log('Stopped; nothing of it is left.');
  }
}

async function show(stage: Stage): Promise<number> {
  const screen = createScreen(() => stage.fleet.tenants());
  print = screen.print;
  try {
    stage.fleet.onChange((tenant, deleted) => screen.changed(tenant, deleted));
    const cameTrue = await runTour(tour, stage, screen);
    screen.print(cameTrue ? `\nAll ${tour.length} steps came true, ${elapsed()} after the start.` : '');
    if (process.stdout.isTTY) {
      screen.print(`\n${access(stage)}\nIt stays up; Ctrl-C stops and removes all of it.`);
      await interrupted(signal);
    }
    return cameTrue ? 0 : 1;
  } finally {
    print = console.log;
    screen.close();
  }
}

function welcome(stage: Stage): string {
  return `All is up after ${elapsed()}. From another terminal:\n\n${access(stage)}`;
}

function access(stage: Stage): string {
  return [
    `  KUBECONFIG=${stage.kubeconfigPath} kubectl get tenants`,
    `  DOCKER_HOST=${stage.dockerHost} docker ps --filter label=${stage.ownerLabel}`,
    `  ${stage.ecs.shellPrefix} aws ecs list-services --cluster ${stage.ecs.cluster}`,
    `  tail -f ${stage.operator.logFile}`,
  ].join('\n');
}

function elapsed(): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}
