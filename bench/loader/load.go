package main

import (
	"time"
)

// storm sends one request per object at full rate and waits for all of them to be done.
func (r *runner) storm(p *phase, gone bool, ns []string, send func(i int) error) (span, error) {
	b := r.tracker.expect(gone, ns)
	start := time.Now()
	err := parallel(len(ns), r.c.workers, send)
	p.LoaderSends = time.Since(start).Seconds()
	if err == nil {
		err = r.tracker.wait(b, r.c.timeout, r.dead)
	}
	return p.latencies(b), err
}

// trickle creates objects one by one at --trickle-rate and waits for all of them to be ready.
func (r *runner) trickle(p *phase, ns []string, bodies [][]byte) (span, error) {
	b, err := r.paced(r.c.trickleRate, false, ns, func(i int) error { return r.create(ns[i], bodies[i]) })
	return p.latencies(b), err
}

// paced sends one request per object, so many a second, and waits for all of them to be done.
func (r *runner) paced(rate float64, gone bool, ns []string, send func(i int) error) (*batch, error) {
	b := r.tracker.expect(gone, ns)
	errs := make(chan error, len(ns))
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for i := range ns {
		go func() { errs <- send(i) }()
		<-tick.C
	}
	var err error
	for range ns {
		if e := <-errs; e != nil {
			err = e
		}
	}
	if err == nil {
		err = r.tracker.wait(b, r.c.timeout, r.dead)
	}
	return b, err
}

// remove deletes objects between the phases.
func (r *runner) remove(ns []string) error {
	b := r.tracker.expect(true, ns)
	if err := parallel(len(ns), r.c.workers, func(i int) error { return r.delete(ns[i]) }); err != nil {
		return err
	}
	return r.tracker.wait(b, r.c.timeout, r.dead)
}

func (p *phase) latencies(b *batch) span {
	clock, ms := b.times()
	p.Objects = len(ms)
	p.LatencyMs = map[string]float64{
		"p50": quantile(ms, .5), "p90": quantile(ms, .9), "p99": quantile(ms, .99), "max": quantile(ms, 1),
	}
	return clock
}
