package main

import (
	"time"
)

// churnRound is how many Tenants go through their lives beside each other.
const churnRound = 50

// churn changes, deletes and creates Tenants again for --churn, in turn, and samples the operator's memory meanwhile.
func (r *runner) churn(p *phase, f fleet) (span, error) {
	samples, stop := make(chan []float64), make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var rss []float64
		for {
			select {
			case <-stop:
				samples <- rss
				return
			case <-tick.C:
				rss = append(rss, treeUsage(r.process).rssMB)
			}
		}
	}()
	begin := time.Now()
	err := r.churnUntil(begin.Add(r.c.churn), f)
	close(stop)
	p.Extra["firstMB"], p.Extra["lastMB"] = outerThirds(<-samples)
	return span{begin, time.Now()}, err
}

func (r *runner) churnUntil(end time.Time, f fleet) error {
	n := len(f.names)
	for at := 0; time.Now().Before(end); at += churnRound {
		var part fleet
		for i := range min(churnRound, n) {
			part.names = append(part.names, f.names[(at+i)%n])
			part.bodies = append(part.bodies, f.bodies[(at+i)%n])
		}
		r.rev++
		for _, step := range []struct {
			gone bool
			send func(i int) error
		}{
			{false, func(i int) error { return r.patch(part.names[i]) }},
			{true, func(i int) error { return r.delete(part.names[i]) }},
			{false, func(i int) error { return r.create(part.names[i], part.bodies[i]) }},
		} {
			if _, err := r.paced(r.c.churnRate, step.gone, part.names, step.send); err != nil {
				return err
			}
		}
	}
	return nil
}

// outerThirds returns the medians of the first and of the last third.
func outerThirds(s []float64) (first, last float64) {
	third := (len(s) + 2) / 3
	return median(s[:third]), median(s[len(s)-third:])
}
