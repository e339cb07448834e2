package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// result of a run.
type result struct {
	Name    string             `json:"name"`
	Start   string             `json:"start"`
	N       int                `json:"n"`
	At      string             `json:"at"`
	Machine map[string]string  `json:"machine"`
	Phases  []*phase           `json:"phases"`
	Metrics map[string]float64 `json:"metrics"`
	Check   map[string]int64   `json:"crossCheck"`
	Errors  []string           `json:"errors,omitempty"`
}

// run measures one operator. There is a result, with the errors in it, wherever the control plane came up.
func run(c *config, o operator) (*result, error) {
	dir := filepath.Join(c.out, fmt.Sprintf("%s-n%d-%s", o.name, c.tenants, time.Now().Format("20060102-150405")))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r, err := newRunner(c, o, dir)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.res = &result{Name: o.name, Start: o.start, N: c.tenants, At: time.Now().Format(time.RFC3339), Machine: machine(),
		Metrics: map[string]float64{}}
	before := r.writeCounts()
	if err := r.runPhases(); err != nil {
		r.fail("run", err)
	}
	r.skipAudit()
	r.crossCheck(before)
	r.res.flatten()
	var table bytes.Buffer
	r.res.table(&table)
	return r.res, errors.Join(
		writeJSON(filepath.Join(dir, "result.json"), r.res),
		os.WriteFile(filepath.Join(dir, "table.txt"), table.Bytes(), 0o644),
	)
}

func writeJSON(path string, value any) error {
	b, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// fleet is what the storms work on.
type fleet struct {
	names  []string
	bodies [][]byte
}

func (r *runner) fleet(prefix string, n int) (f fleet, err error) {
	f.names = names(prefix, n)
	f.bodies, err = r.bodies(f.names)
	return f, err
}

// runPhases returns an error where nothing further can be measured; the failure of a phase stands in the result.
func (r *runner) runPhases() error {
	f, err := r.fleet("t", r.c.tenants)
	if err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	if r.has("trickle") {
		if err := r.trickles("trickle"); err != nil {
			return err
		}
	}
	p := r.measure("create", set(f.names), func(p *phase) (span, error) {
		return r.storm(p, false, f.names, func(i int) error { return r.create(f.names[i], f.bodies[i]) })
	})
	if p.Error != "" {
		return errors.New("create failed, nothing further is measured")
	}
	if r.has("idle") {
		r.measure("idle", nil, func(*phase) (span, error) { return r.idle() })
	}
	if r.has("trickle-full") {
		if err := r.trickles("trickle-full"); err != nil {
			return err
		}
	}
	if r.has("update") {
		r.rev++
		r.measure("update", set(f.names), func(p *phase) (span, error) {
			return r.storm(p, false, f.names, func(i int) error { return r.patch(f.names[i]) })
		})
	}
	if r.c.churn > 0 {
		r.measure("churn", set(f.names), func(p *phase) (span, error) { return r.churn(p, f) })
	}
	if r.has("restart") {
		if err := r.restart(f.names); err != nil {
			return err
		}
	}
	if r.has("delete") {
		r.measure("delete", set(f.names), func(p *phase) (span, error) {
			return r.storm(p, true, f.names, func(i int) error { return r.delete(f.names[i]) })
		})
	}
	return nil
}

func (r *runner) has(phase string) bool {
	return slices.Contains(strings.Split(r.c.phases, ","), phase)
}

// start: one Tenant waits while the operator starts on an otherwise empty cluster.
func (r *runner) start() error {
	f, err := r.fleet("canary", 1)
	if err != nil {
		return err
	}
	b := r.tracker.expect(false, f.names)
	if err := r.create(f.names[0], f.bodies[0]); err != nil {
		return err
	}
	p := r.measure("start", set(f.names), func(p *phase) (span, error) {
		begin := time.Now()
		if err := r.startOperator(); err != nil {
			return span{}, err
		}
		err := r.tracker.wait(b, min(r.c.timeout, 2*time.Minute), r.dead)
		clock, _ := b.times()
		return span{begin, clock.last}, err
	})
	if p.Error != "" {
		return errors.New("the operator did not make the first Tenant ready")
	}
	return r.remove(f.names)
}

// trickles creates Tenants one by one, and removes them afterwards.
func (r *runner) trickles(name string) error {
	f, err := r.fleet(name, r.c.trickleTenants)
	if err != nil {
		return err
	}
	r.measure(name, set(f.names), func(p *phase) (span, error) { return r.trickle(p, f.names, f.bodies) })
	return r.remove(f.names)
}

func (r *runner) idle() (span, error) {
	begin := time.Now()
	for time.Since(begin) < r.c.idle {
		time.Sleep(time.Second)
		if err := r.dead(); err != nil {
			return span{begin, time.Now()}, err
		}
	}
	return span{begin, time.Now()}, nil
}

// restart: three Tenants change while the operator is down.
func (r *runner) restart(all []string) error {
	r.quiet(10 * time.Second)
	stopSeconds, killed := r.process.stop(30 * time.Second)
	r.process = nil
	time.Sleep(500 * time.Millisecond)
	r.skipAudit()
	r.rev++
	changed := []string{all[0], all[len(all)/2], all[len(all)-1]}
	b := r.tracker.expect(false, changed)
	for _, name := range changed {
		if err := r.patch(name); err != nil {
			return err
		}
	}
	r.measure("restart", set(changed), func(p *phase) (span, error) {
		p.Objects = len(changed)
		p.Extra["stopSeconds"] = stopSeconds
		if killed {
			p.Extra["stopKilled"] = 1
		}
		begin := time.Now()
		if err := r.startOperator(); err != nil {
			return span{}, err
		}
		err := r.tracker.wait(b, r.c.timeout, r.dead)
		clock, _ := b.times()
		return span{begin, clock.last}, err
	})
	return nil
}
