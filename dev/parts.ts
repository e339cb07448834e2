/** `node dev/parts.ts`: the real parts for a developer, until Ctrl-C. */
import { applyCrds } from './apply-crds.ts';
import { pushImage } from './images.ts';
import { withProgress } from './progress.ts';
import { startRealParts } from './real-parts.ts';

const parts = await withProgress(
  'starting the control plane, the Docker Engine and the registry',
  startRealParts,
);
const crds = await applyCrds(parts.controlPlane.kubeconfigPath);
const image = await pushImage(parts.registry, { repository: 'app', tag: '1' });

console.log(`
control plane  ${parts.controlPlane.url}
               export KUBECONFIG=${parts.controlPlane.kubeconfigPath}
               as the operator: ${parts.controlPlane.operatorKubeconfigPath}
               CRDs: ${crds.length === 0 ? 'none yet' : crds.join(', ')}
               audit log of the operator: ${parts.controlPlane.auditLogPath}
Docker Engine  export DOCKER_HOST=${parts.engine.host}
               published ports answer at ${parts.engine.publishAddress} (compute.docker.port_bind_address)
registry       ${parts.registry.address}, with the image ${image}

Ctrl-C stops and removes all of it.`);

// Something must keep the process up: its children alone don't.
const keepAlive = setInterval(() => undefined, 60_000);
const stop = async (): Promise<void> => {
  clearInterval(keepAlive);
  await parts.stop();
  console.log('stopped');
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}
