import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyCrds } from '../../dev/apply-crds.ts';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import { finalizer } from '../../src/api/names.ts';
import { crdMissing } from '../../src/controller/followed/missing-crd.ts';
import { until } from '../until.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.landlord.dev';

describe('an operator under which the CRD comes and goes', () => {
  const log = recordingStream();
  const { readyz } = endpointsOf(() => log.lines.join('\n'));
  let plane: ControlPlane;
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    plane = await startControlPlane();
    ns = await createTestNamespace('no-crd', {
      kubeconfigPath: plane.kubeconfigPath,
      auditLogPath: plane.auditLogPath,
    });
    operator = startTestOperator({
      namespaces: [],
      compute: { mock: {} },
      kubeconfigPath: plane.operatorKubeconfigPath,
      logger: log.logger,
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.client.close();
    await plane?.stop();
  });

  const ready = { status: 200, text: 'ok\n' };
  const missing = { status: 503, text: `${crdMissing}\n` };
  const untilReadyz = (wanted: typeof ready) =>
    until(`/readyz says ${wanted.text}`, async () => (await readyz()).text === wanted.text);
  /** What its log says of the CRD, and all above info that it says besides. */
  const warnings = () =>
    log.lines
      .map((line) => JSON.parse(line) as { level: number; msg: string; error?: string })
      .filter(({ level }) => level >= 40)
      .map(({ msg, error = '' }) => `${msg}${error}`);
  const crdIsThere = async () => (await kubeRequest(plane.kubeconfigPath, { path: crdPath })).status === 200;
  const said = `${crdMissing}; until then, what runs is left as it is`;
  const deleteCrd = () => kubeRequest(plane.kubeconfigPath, { method: 'DELETE', path: crdPath });

  test('is not ready without it, says so once and in words, and goes on by itself when it is there', async () => {
    await untilReadyz(missing);
    expect(await readyz()).toEqual(missing);
    const missed = async () =>
      (await plane.auditEntries()).filter(({ responseStatus, requestURI }) =>
        requestURI.includes('/tenants') ? responseStatus?.code === 404 : false,
      ).length;
    await until('it has asked again and again', async () => (await missed()) > 3);
    expect(warnings()).toEqual([said]);
    await applyCrds(plane.kubeconfigPath);
    await untilReadyz(ready);
    await ns.create('first', {});
    await ns.untilReady('first');
    expect(warnings()).toEqual([said]);
  });

  test('empties the engines for the Tenants that go with it, so that it can go', async () => {
    await deleteCrd();
    await until('the CRD is gone', async () => !(await crdIsThere()));
    await untilReadyz(missing);
    expect(warnings()).toEqual([said, said]);
    const writes = await ns.writes();
    const last = writes.findLast(({ objectRef }) => objectRef?.name === 'first');
    expect([last?.verb, last?.objectRef?.subresource, last?.responseStatus?.code]).toEqual([
      'patch',
      undefined,
      200,
    ]);
  });

  test('takes the next one as new, and what was before it for gone', async () => {
    await applyCrds(plane.kubeconfigPath);
    await untilReadyz(ready);
    await ns.create('first', {});
    const { metadata } = await ns.untilReady('first');
    expect(metadata.finalizers).toEqual([finalizer]);
    await ns.delete('first');
    await ns.untilGone('first');
    expect(warnings()).toEqual([said, said]);
  });
});
