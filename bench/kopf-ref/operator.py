"""kopf-ref is the reference as a Python user would write it: kopf with its defaults, and a provider that only remembers.

Run it with: kopf run --standalone --all-namespaces operator.py
"""

import datetime

import kopf

TENANTS = ("landlord.dev", "v1alpha1", "tenants")

running = {}  # by uid


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_):
    settings.persistence.finalizer = "landlord.dev/tenant"
    # In annotations only: kopf's own bookkeeping has no place in the status that the CRD describes.
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage()


@kopf.on.resume(*TENANTS)
@kopf.on.create(*TENANTS)
@kopf.on.update(*TENANTS, field="spec")
async def reconcile(uid, spec, meta, status, patch, **_):
    running[uid] = dict(spec)
    generation = meta["generation"]
    conditions = status.get("conditions", [])
    ready = next((c for c in conditions if c["type"] == "Ready" and c["status"] == "True"), {})
    if status.get("observedGeneration") == generation and ready:
        return
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch.status.update(
        observedGeneration=generation,
        phase="Ready",
        conditions=[
            {
                "type": "Ready",
                "status": "True",
                "reason": "Running",
                "message": "mock compute is running",
                "observedGeneration": generation,
                "lastTransitionTime": ready.get("lastTransitionTime", now),
            }
        ],
    )


@kopf.on.delete(*TENANTS)
async def destroy(uid, **_):
    running.pop(uid, None)
