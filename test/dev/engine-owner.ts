/** A program that starts an engine with a container and never stops it: the test kills it. */
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { runContainer } from './run-container.ts';

const engine = await startPrivateDockerEngine();
await runContainer(engine, process.argv[2] ?? '');
console.log(JSON.stringify({ folder: engine.folder, link: engine.link }));
setInterval(() => undefined, 60_000);
