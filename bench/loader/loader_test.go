package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReady(t *testing.T) {
	for _, c := range []struct {
		name, object string
		want         bool
	}{
		{"no status", `{"metadata":{"generation":1}}`, false},
		{"this generation", `{"metadata":{"generation":2},"status":{"observedGeneration":2,"conditions":[{"type":"Ready","status":"True"}]}}`, true},
		{"an older one", `{"metadata":{"generation":3},"status":{"observedGeneration":2,"conditions":[{"type":"Ready","status":"True"}]}}`, false},
		{"no observed generation", `{"metadata":{"generation":1},"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, false},
		{"not ready", `{"metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"False"}]}}`, false},
		{"another condition", `{"metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Stalled","status":"True"}]}}`, false},
	} {
		var o object
		if err := json.Unmarshal([]byte(c.object), &o); err != nil {
			t.Fatal(err)
		}
		if got := o.ready(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestGeneration(t *testing.T) {
	b := []byte(`{"apiVersion":"x/v1","kind":"T","metadata":{"annotations":{"last":"{\"generation\":9}"},"generation":4,"name":"a"},"spec":{"generation":7}}`)
	if g := generation(b); g != 4 {
		t.Fatal(g)
	}
}

func tenant(name string, gen, observed int64) []byte {
	b, _ := json.Marshal(map[string]any{
		"metadata": map[string]any{"name": name, "generation": gen},
		"status":   map[string]any{"observedGeneration": observed, "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
	})
	return b
}

// The answer to a write and the watch event of its result may come in either order.
func TestTrackerOrder(t *testing.T) {
	tr := &tracker{objs: map[string]*state{}}
	now := time.Now()
	b := tr.expect(false, []string{"a", "b"})
	apply := func(typ, name string, gen, observed int64) {
		tr.apply(typ, tenant(name, gen, observed), now)
	}
	apply("ADDED", "a", 1, 1) // ready before the answer came
	if b.left != 2 {
		t.Fatal("done before it was asked for")
	}
	tr.acked("a", now, 1)
	tr.acked("b", now, 2)
	apply("ADDED", "b", 1, 1)
	if b.left != 1 {
		t.Fatal(b.left)
	}
	apply("MODIFIED", "b", 2, 1)
	if b.left != 1 {
		t.Fatal("not current yet")
	}
	apply("MODIFIED", "b", 2, 2)
	select {
	case <-b.ch:
	default:
		t.Fatal("not done")
	}

	b = tr.expect(true, []string{"a"})
	tr.acked("a", now, 1)
	if b.left != 1 {
		t.Fatal("still there")
	}
	apply("DELETED", "a", 2, 1)
	if b.left != 0 {
		t.Fatal("gone")
	}
}

func TestCutEvent(t *testing.T) {
	typ, o, ok := cutEvent([]byte(`{"type":"ADDED","object":{"a":{"b":1}}}` + "\n"))
	if !ok || typ != "ADDED" || string(o) != `{"a":{"b":1}}` {
		t.Fatal(typ, string(o), ok)
	}
}

func TestAudit(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	lines := `{"stage":"ResponseComplete","verb":"patch","objectRef":{"resource":"tenants","subresource":"status","name":"t-1"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"patch","objectRef":{"resource":"tenants","name":"t-2"},"responseStatus":{"code":409}}
{"stage":"ResponseStarted","verb":"watch","objectRef":{"resource":"tenants"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"watch","objectRef":{"resource":"tenants"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"get","requestURI":"/apis","responseStatus":{"code":200}}
`
	if err := os.WriteFile(log, []byte(lines+`{"stage":"Resp`), 0o644); err != nil {
		t.Fatal(err)
	}
	r, end, err := readAudit(log, 0, map[string]bool{"t-1": true})
	if err != nil || end != int64(len(lines)) {
		t.Fatal(end, err)
	}
	if r.Total != 4 || r.Writes != 2 || r.OtherWrites != 1 || r.By["watch tenants"] != 1 || r.Errors["409 patch tenants"] != 1 || r.By["get (discovery)"] != 1 {
		t.Fatalf("%+v", r)
	}
}

func TestCutMetric(t *testing.T) {
	name, labels, value := cutMetric(`apiserver_request_total{code="200",resource="tenants",verb="PATCH"} 1.2e+03`)
	if name != "apiserver_request_total" || labels["resource"] != "tenants" || labels["verb"] != "PATCH" || value != 1200 {
		t.Fatal(name, labels, value)
	}
	for _, other := range []string{"", "# HELP a{b} c", "go_threads 12"} {
		if name, _, _ := cutMetric(other); name != "" {
			t.Fatal(other)
		}
	}
}

func TestCompareRow(t *testing.T) {
	runs := func(values ...float64) (out []*result) {
		for _, v := range values {
			out = append(out, &result{Metrics: map[string]float64{"create.seconds": v}})
		}
		return out
	}
	got := compareRow(row{key: "create.seconds"}, runs(4, 2, 5), runs(4, 6, 5))
	if got.MinRatio != 2 || got.MedianRatio != 1 {
		t.Fatalf("%+v", got)
	}
}

func TestCompareRowAlone(t *testing.T) {
	got := compareRow(row{key: "a"}, nil, []*result{{Metrics: map[string]float64{"a": 3}}})
	if len(got.Ref) != 0 || len(got.Subject) != 1 || got.Subject[0] != 3 || got.MinRatio != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestLoopDelayIn(t *testing.T) {
	text := "landlord_event_loop_delay_seconds{quantile=\"0.5\"} 0.001\nlandlord_event_loop_delay_seconds{quantile=\"0.99\"} 0.0125\n"
	if ms, ok := loopDelayIn(text); !ok || ms != 12.5 {
		t.Fatal(ms, ok)
	}
	if _, ok := loopDelayIn("go_threads 12\n"); ok {
		t.Fatal("none is told")
	}
}

func TestOuterThirds(t *testing.T) {
	if first, last := outerThirds([]float64{1, 3, 2, 9, 9, 9, 6, 4, 5}); first != 2 || last != 5 {
		t.Fatal(first, last)
	}
	if first, last := outerThirds(nil); first != 0 || last != 0 {
		t.Fatal(first, last)
	}
}

func TestChurnGrowth(t *testing.T) {
	p := &phase{Name: "churn", Extra: map[string]float64{"firstMB": 80, "lastMB": 84}}
	if m := p.metrics(); m["growth"] != 1.05 || m["firstMB"] != 80 || m["lastMB"] != 84 {
		t.Fatalf("%+v", m)
	}
}

func TestPathOf(t *testing.T) {
	for kind, want := range map[string]string{
		"MutatingAdmissionPolicy":        "/apis/g/v1/mutatingadmissionpolicies",
		"MutatingAdmissionPolicyBinding": "/apis/g/v1/mutatingadmissionpolicybindings",
	} {
		if got := pathOf(map[string]any{"apiVersion": "g/v1", "kind": kind}); got != want {
			t.Error(got)
		}
	}
}
