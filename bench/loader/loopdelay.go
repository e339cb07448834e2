package main

import (
	"io"
	"net/http"
	"strings"
	"time"
)

var metricsClient = &http.Client{Timeout: 10 * time.Second}

// loopDelay returns the 99th percentile of how late the turns of the operator's event loop came since the last call, in
// milliseconds; false where the operator does not tell.
func (r *runner) loopDelay() (ms float64, ok bool) {
	if r.o.metrics == "" || r.process == nil {
		return 0, false
	}
	answer, err := metricsClient.Get(r.o.metrics)
	if err != nil {
		return 0, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, false
	}
	return loopDelayIn(string(text))
}

// noteLoopDelay keeps the worse one of what is timed and of what follows it: a quiet end makes no storm any better.
func (r *runner) noteLoopDelay(p *phase) {
	if ms, ok := r.loopDelay(); ok {
		p.Extra["loopP99ms"] = max(p.Extra["loopP99ms"], ms)
	}
}

func loopDelayIn(metrics string) (ms float64, ok bool) {
	for _, line := range strings.Split(metrics, "\n") {
		name, labels, seconds := cutMetric(line)
		if name == "landlord_event_loop_delay_seconds" && labels["quantile"] == "0.99" {
			return 1000 * seconds, true
		}
	}
	return 0, false
}
