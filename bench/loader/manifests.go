package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// addManifests creates the objects of the operator's own file, and waits until an admission policy among them is in force.
func (r *runner) addManifests() error {
	text, err := os.ReadFile(r.o.manifests)
	if err != nil {
		return err
	}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return fmt.Errorf("%s: %w", r.o.manifests, err)
		}
		if err := r.post(pathOf(object), object); err != nil {
			return err
		}
	}
	return r.waitForFinalizer()
}

// pathOf is that of an object of a cluster's scope, as the API names it.
func pathOf(object map[string]any) string {
	plural := strings.ToLower(fmt.Sprint(object["kind"])) + "s"
	if stem, ok := strings.CutSuffix(plural, "ys"); ok {
		plural = stem + "ies"
	}
	return fmt.Sprintf("/apis/%v/%s", object["apiVersion"], plural)
}

// waitForFinalizer returns once the apiserver itself puts a finalizer on new Tenants. A policy does not know a resource at
// first whose CRD is new, and has creates refused meanwhile.
func (r *runner) waitForFinalizer() error {
	body, err := r.bodyOf("dry-run", 0)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var answer bytes.Buffer
		err = r.api.do("POST", collection+"?dryRun=All", "application/json", body, &answer)
		if err == nil && bytes.Contains(answer.Bytes(), []byte(`"finalizers":[`)) {
			return nil
		}
	}
	return errors.Join(errors.New("no finalizer is put on new Tenants, 60 s after the policy was created"), err)
}
