// go-ref is the reference as a Go user would write it: controller-runtime, typed objects, a finalizer, a status with
// observedGeneration and a Ready condition, and a provider that only remembers.
package main

import (
	"context"
	"os"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const finalizer = "landlord.dev/tenant"

// mockProvider has what it is told to provision running at once.
type mockProvider struct {
	mu      sync.Mutex
	running map[types.UID]TenantSpec
}

func (p *mockProvider) Provision(uid types.UID, spec TenantSpec) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[uid] = spec
}

func (p *mockProvider) Destroy(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, uid)
}

type reconciler struct {
	client.Client
	provider *mockProvider
}

func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var t Tenant
	if err := r.Get(ctx, req.NamespacedName, &t); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}

	if !t.DeletionTimestamp.IsZero() {
		r.provider.Destroy(t.UID)
		before := t.DeepCopy()
		if controllerutil.RemoveFinalizer(&t, finalizer) {
			return ctrl.Result{}, client.IgnoreNotFound(r.Patch(ctx, &t, client.MergeFrom(before)))
		}
		return ctrl.Result{}, nil
	}

	before := t.DeepCopy()
	if controllerutil.AddFinalizer(&t, finalizer) {
		if err := r.Patch(ctx, &t, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, err
		}
	}

	r.provider.Provision(t.UID, t.Spec)

	before = t.DeepCopy()
	t.Status.ObservedGeneration = t.Generation
	t.Status.Phase = "Ready"
	meta.SetStatusCondition(&t.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Running", Message: "mock compute is running",
		ObservedGeneration: t.Generation,
	})
	if equality.Semantic.DeepEqual(before.Status, t.Status) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, r.Status().Update(ctx, &t)
}

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(); err != nil {
		ctrl.Log.Error(err, "ended")
		os.Exit(1)
	}
}

func run() error {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// No limit in the client: the apiserver's own flow control is what bounds it.
	cfg.QPS = -1
	scheme := runtime.NewScheme()
	addToScheme(scheme)
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&Tenant{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// More made it no faster on two cores.
		WithOptions(controller.Options{MaxConcurrentReconciles: 16}).
		Complete(&reconciler{
			Client:   mgr.GetClient(),
			provider: &mockProvider{running: map[types.UID]TenantSpec{}},
		})
	if err != nil {
		return err
	}
	return mgr.Start(ctrl.SetupSignalHandler())
}

func addToScheme(s *runtime.Scheme) {
	gv := schema.GroupVersion{Group: "landlord.dev", Version: "v1alpha1"}
	s.AddKnownTypes(gv, &Tenant{}, &TenantList{})
	metav1.AddToGroupVersion(s, gv)
}
