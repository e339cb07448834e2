/**
 * A program for a network namespace of its own, which it makes look like a machine with a Docker Engine: a link docker0
 * and a firewall that forwards nothing. Prints that machine's network before and after the life of a private engine.
 */
import { findProgram } from '../../dev/find-program.ts';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { networkSnapshot } from '../../dev/machine-network.ts';
import { startRegistry } from '../../dev/registry.ts';
import { runCommand } from '../../dev/run-command.ts';
import { runContainer } from './run-container.ts';

const ip = findProgram('ip') ?? 'ip';
await runCommand(ip, ['link', 'set', 'lo', 'up']);
await runCommand(ip, ['link', 'add', 'docker0', 'type', 'bridge']);
await runCommand(ip, ['address', 'add', '172.17.0.1/16', 'dev', 'docker0']);
await runCommand(ip, ['link', 'set', 'docker0', 'up']);
const iptables = findProgram('iptables');
if (iptables !== undefined) await runCommand(iptables, ['--wait', '--policy', 'FORWARD', 'DROP']);

const before = await networkSnapshot();
const registry = await startRegistry();
const engine = await startPrivateDockerEngine();
const url = await runContainer(engine, registry.address);
const answer = await (await fetch(url)).text();
await engine.kill();
await engine.start();
await engine.stop();
await registry.stop();
console.log(JSON.stringify({ before, after: await networkSnapshot(), answer }));
