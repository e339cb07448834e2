package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Tenant is the custom resource. Only what the reference needs is typed: the finalizer is written as a merge patch and the
// status through its subresource, so no other field of the spec is lost.
type Tenant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TenantSpec   `json:"spec"`
	Status TenantStatus `json:"status,omitempty"`
}

type TenantSpec struct {
	TenantID        string                 `json:"tenantId,omitempty"`
	ComputeProvider string                 `json:"computeProvider,omitempty"`
	ComputeConfig   *runtime.RawExtension  `json:"computeConfig,omitempty"`
	Containers      []runtime.RawExtension `json:"containers,omitempty"`
}

type TenantStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type TenantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Tenant `json:"items"`
}

func (t *Tenant) DeepCopy() *Tenant {
	out := &Tenant{TypeMeta: t.TypeMeta, Spec: t.Spec, Status: t.Status}
	t.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.ComputeConfig = t.Spec.ComputeConfig.DeepCopy()
	if t.Spec.Containers != nil {
		out.Spec.Containers = make([]runtime.RawExtension, len(t.Spec.Containers))
		for i := range t.Spec.Containers {
			t.Spec.Containers[i].DeepCopyInto(&out.Spec.Containers[i])
		}
	}
	if t.Status.Conditions != nil {
		out.Status.Conditions = append([]metav1.Condition{}, t.Status.Conditions...)
	}
	return out
}

func (t *Tenant) DeepCopyObject() runtime.Object { return t.DeepCopy() }

func (l *TenantList) DeepCopyObject() runtime.Object {
	out := &TenantList{TypeMeta: l.TypeMeta}
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Tenant, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return out
}
