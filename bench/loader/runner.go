package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	resource   = "tenants"
	group      = "landlord.dev"
	collection = "/apis/" + group + "/v1alpha1/namespaces/" + namespace + "/" + resource
	mergePatch = "application/merge-patch+json"
)

// runner is one run of one operator.
type runner struct {
	c         *config
	o         operator
	dir       string
	plane     *plane
	api       *api
	tracker   *tracker
	stopWatch context.CancelFunc // ends the tracker's watch
	process   *process           // the operator's; nil while it is stopped
	started   int                // times the operator was started
	res       *result
	offset    int64 // how far the audit log has been read
	audited   map[string]int64
	bodyOf    func(name string, index int) ([]byte, error)
	rev       int
}

// newRunner starts a control plane and makes it ready for the operator. Results and logs go to dir.
func newRunner(c *config, o operator, dir string) (*runner, error) {
	template, err := os.ReadFile(c.template)
	if err != nil {
		return nil, err
	}
	r := &runner{c: c, o: o, dir: dir, audited: map[string]int64{}, bodyOf: bodies(string(template))}
	if r.plane, err = startPlane(c, filepath.Join(dir, "plane")); err != nil {
		return nil, err
	}
	onExit(r.close)
	r.api = newAPI(r.plane, c.workers)
	err = errors.Join(r.addCRD(), r.addOperator())
	if err == nil {
		err = r.watch()
	}
	if err == nil && o.manifests != "" {
		err = r.addManifests()
	}
	if err != nil {
		r.close()
		return nil, err
	}
	r.settle()
	return r, nil
}

func (r *runner) close() {
	if r.stopWatch != nil {
		r.stopWatch()
	}
	if r.process != nil {
		r.process.stop(5 * time.Second)
	}
	r.plane.stop()
	for _, name := range []string{"kube-apiserver.log", "etcd.log"} {
		os.Rename(r.plane.path(name), filepath.Join(r.dir, name))
	}
	if !r.c.keep {
		os.RemoveAll(r.plane.dir)
	}
}

// bodies fills in the manifest's template.
func bodies(template string) func(name string, index int) ([]byte, error) {
	return func(name string, index int) ([]byte, error) {
		fill := strings.NewReplacer("{{name}}", name, "{{namespace}}", namespace, "{{index}}", strconv.Itoa(index))
		return yaml.YAMLToJSON([]byte(fill.Replace(template)))
	}
}

func (r *runner) post(path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = r.api.write("POST", path, "application/json", b)
	return err
}

func (r *runner) addCRD() error {
	text, err := os.ReadFile(r.c.crd)
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return fmt.Errorf("%s: %w", r.c.crd, err)
	}
	return r.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
}

// addOperator makes the namespaces, and the operator an admin of the cluster: its own rules are not on trial here.
func (r *runner) addOperator() error {
	for _, name := range []string{namespace, operatorNamespace} {
		body := map[string]any{"metadata": map[string]any{"name": name}}
		if err := r.post("/api/v1/namespaces", body); err != nil {
			return err
		}
	}
	const rbac = "rbac.authorization.k8s.io"
	return r.post("/apis/"+rbac+"/v1/clusterrolebindings", map[string]any{
		"metadata": map[string]any{"name": "bench-operator"},
		"roleRef":  map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
		"subjects": []any{map[string]any{"kind": "User", "apiGroup": rbac, "name": operatorUser}},
	})
}

// watch begins once the CRD is served.
func (r *runner) watch() error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		_, err := r.api.get(collection)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stopWatch = cancel
	r.tracker = &tracker{api: newAPI(r.plane, 2), path: collection}
	return r.tracker.start(ctx)
}

// settle lets the apiserver finish its own start (openapi, discovery) before anything is timed.
func (r *runner) settle() {
	last := treeUsage(r.plane.api).cpu
	for range 60 {
		time.Sleep(500 * time.Millisecond)
		now := treeUsage(r.plane.api).cpu
		if now-last < 0.05 {
			break
		}
		last = now
	}
}

func (r *runner) startOperator() (err error) {
	r.started++
	log := filepath.Join(r.dir, fmt.Sprintf("operator-%d.log", r.started))
	env := []string{"KUBECONFIG=" + r.plane.kubeconfig, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost"}
	r.process, err = startProcess(log, r.c.boost, env, "sh", "-c", r.o.start)
	return err
}

// dead returns an error once the operator has ended by itself.
func (r *runner) dead() error {
	if r.process != nil && r.process.exited() {
		return fmt.Errorf("the operator ended (%v):\n%s", r.process.cmd.ProcessState, tail(r.process.log, 1500))
	}
	return nil
}

func (r *runner) bodies(names []string) ([][]byte, error) {
	out := make([][]byte, len(names))
	for i, name := range names {
		var err error
		if out[i], err = r.bodyOf(name, i); err != nil {
			return nil, fmt.Errorf("%s: %w", r.c.template, err)
		}
	}
	return out, nil
}

func (r *runner) create(name string, body []byte) error {
	sent := time.Now()
	generation, err := r.api.write("POST", collection, "application/json", body)
	if err == nil {
		r.tracker.acked(name, sent, generation)
	}
	return err
}

func (r *runner) patch(name string) error {
	body := bytes.ReplaceAll([]byte(r.c.updatePatch), []byte("{{rev}}"), []byte(strconv.Itoa(r.rev)))
	sent := time.Now()
	generation, err := r.api.write("PATCH", collection+"/"+name, mergePatch, body)
	if err == nil {
		r.tracker.acked(name, sent, generation)
	}
	return err
}

func (r *runner) delete(name string) error {
	sent := time.Now()
	_, err := r.api.write("DELETE", collection+"/"+name, "application/json", []byte(`{"propagationPolicy":"Background"}`))
	if err == nil {
		r.tracker.acked(name, sent, 1)
	}
	return err
}

func names(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%05d", prefix, i)
	}
	return out
}

func set(names []string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
