package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

type state struct {
	present  bool
	gen      int64
	readyGen int64
	at       time.Time // when readyGen was first seen, or when the object went
}

type item struct {
	name       string
	want       int64
	sent, done time.Time
}

// batch is a set of objects that are expected to become ready (at a generation) or gone.
type batch struct {
	gone  bool
	items map[string]*item
	left  int
	ch    chan struct{}
}

// tracker follows the objects through one watch.
type tracker struct {
	api    *api
	path   string
	mu     sync.Mutex
	objs   map[string]*state
	b      *batch
	broken int64 // times the apiserver ended the watch
	rv     string
}

func (t *tracker) start(ctx context.Context) error {
	t.objs = map[string]*state{}
	if err := t.list(); err != nil {
		return err
	}
	go func() {
		for ctx.Err() == nil {
			err := t.watch(ctx)
			if ctx.Err() != nil {
				return
			}
			t.mu.Lock()
			t.broken++
			t.mu.Unlock()
			if err != nil {
				logf("watch: %v", err)
				if err := t.list(); err != nil {
					logf("list: %v", err)
					time.Sleep(time.Second)
				}
			}
		}
	}()
	return nil
}

func (t *tracker) list() error {
	b, err := t.api.get(t.path)
	if err != nil {
		return err
	}
	var l struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	t.rv = l.Metadata.ResourceVersion
	now := time.Now()
	have := map[string]bool{}
	for _, r := range l.Items {
		have[t.apply("MODIFIED", r, now)] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, s := range t.objs {
		if s.present && !have[name] {
			*s = state{at: now}
			t.check(name, s)
		}
	}
	return nil
}

func (t *tracker) watch(ctx context.Context) error {
	query := url.Values{"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {t.rv}}
	req, _ := http.NewRequestWithContext(ctx, "GET", t.api.base+t.path+"?"+query.Encode(), nil)
	req.Header.Set("Authorization", t.api.auth)
	req.Header.Set("User-Agent", "bench-loader")
	res, err := t.api.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		b, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%d %s", res.StatusCode, b)
	}
	rd := bufio.NewReaderSize(res.Body, 64<<10)
	for {
		line, err := rd.ReadBytes('\n')
		now := time.Now()
		if len(line) > 0 {
			var e struct {
				Type   string          `json:"type"`
				Object json.RawMessage `json:"object"`
			}
			// {"type":"...","object":{...}}: cut instead of decoding the object twice.
			if typ, obj, ok := cutEvent(line); ok {
				e.Type, e.Object = typ, obj
			} else if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			if e.Type == "ERROR" {
				return fmt.Errorf("%s", e.Object)
			}
			t.apply(e.Type, e.Object, now)
		}
		if err == io.EOF {
			return nil // the server ended the watch: go on from the last resource version
		}
		if err != nil {
			return err
		}
	}
}

func cutEvent(line []byte) (string, []byte, bool) {
	line = bytes.TrimRight(line, "\n")
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	if !ok {
		return "", nil, false
	}
	typ, rest, ok := bytes.Cut(rest, []byte(`","object":`))
	if !ok {
		return "", nil, false
	}
	return string(typ), rest[:len(rest)-1], true
}

func (t *tracker) apply(typ string, raw []byte, now time.Time) string {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		logf("bad object: %v", err)
		return ""
	}
	t.rv = o.Metadata.ResourceVersion
	if typ == "BOOKMARK" {
		return ""
	}
	ready := typ != "DELETED" && o.ready()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.objs[o.Metadata.Name]
	if s == nil {
		s = &state{}
		t.objs[o.Metadata.Name] = s
	}
	if typ == "DELETED" {
		*s = state{at: now}
	} else {
		s.present, s.gen = true, o.Metadata.Generation
		if ready && o.Metadata.Generation > s.readyGen {
			s.readyGen, s.at = o.Metadata.Generation, now
		}
	}
	t.check(o.Metadata.Name, s)
	return o.Metadata.Name
}

func (t *tracker) check(name string, s *state) {
	if t.b == nil {
		return
	}
	it := t.b.items[name]
	if it == nil || !it.done.IsZero() || it.want == 0 {
		return
	}
	if t.b.gone && s.present || !t.b.gone && (!s.present || s.readyGen < it.want) {
		return
	}
	it.done = s.at
	if t.b.left--; t.b.left == 0 {
		close(t.b.ch)
	}
}

func (t *tracker) expect(gone bool, names []string) *batch {
	b := &batch{gone: gone, items: map[string]*item{}, left: len(names), ch: make(chan struct{})}
	for _, n := range names {
		b.items[n] = &item{name: n}
	}
	t.mu.Lock()
	t.b = b
	t.mu.Unlock()
	return b
}

// acked: the request was sent at sent and answered; the object is done once it is ready at gen (or gone).
func (t *tracker) acked(name string, sent time.Time, gen int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := t.b.items[name]
	it.sent, it.want = sent, max(gen, 1)
	if s := t.objs[name]; s != nil {
		t.check(name, s)
	}
}

// wait returns nil once all are done, or an error after the timeout or once the operator is dead.
func (t *tracker) wait(b *batch, timeout time.Duration, dead func() error) error {
	deadline := time.After(timeout)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-b.ch:
			return nil
		case <-deadline:
			t.mu.Lock()
			defer t.mu.Unlock()
			return fmt.Errorf("timeout: %d of %d not done after %v", b.left, len(b.items), timeout)
		case <-tick.C:
			if dead != nil {
				if err := dead(); err != nil {
					return err
				}
			}
		}
	}
}

// times: from the first send to the last done, and sorted latencies in milliseconds, of what is done.
func (b *batch) times() (clock span, ms []float64) {
	for _, it := range b.items {
		if it.sent.IsZero() {
			continue
		}
		if clock.first.IsZero() || it.sent.Before(clock.first) {
			clock.first = it.sent
		}
		if it.done.IsZero() {
			continue
		}
		if it.done.After(clock.last) {
			clock.last = it.done
		}
		ms = append(ms, float64(it.done.Sub(it.sent).Microseconds())/1000)
	}
	slices.Sort(ms)
	return clock, ms
}

// quantile of sorted values.
func quantile(s []float64, q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
