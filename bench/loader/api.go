package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// api is a bare HTTP client of the apiserver: bodies are bytes, nothing is decoded unless needed.
type api struct {
	base, auth string
	client     *http.Client
	writes     atomic.Int64 // for the cross-check with /metrics
	retried    atomic.Int64
}

// newAPI speaks HTTP/1.1, over a kept-alive connection per worker. HTTP/2 costs the same on the whole.
func newAPI(p *plane, workers int) *api {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.ca)
	return &api{base: p.base, auth: "Bearer " + p.adminToken, client: &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxIdleConns:        workers * 2,
		MaxIdleConnsPerHost: workers * 2,
		DisableCompression:  true,
		WriteBufferSize:     16 << 10,
		ReadBufferSize:      16 << 10,
	}}}
}

var bufs = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// write returns metadata.generation (0 where there is none).
func (a *api) write(method, path, contentType string, body []byte) (int64, error) {
	buf := bufs.Get().(*bytes.Buffer)
	defer bufs.Put(buf)
	if err := a.do(method, path, contentType, body, buf); err != nil {
		return 0, err
	}
	a.writes.Add(1)
	return generation(buf.Bytes()), nil
}

// get returns the body.
func (a *api) get(path string) ([]byte, error) {
	var buf bytes.Buffer
	err := a.do("GET", path, "", nil, &buf)
	return buf.Bytes(), err
}

// do fills buf with the answer's body. It tries again where the apiserver has too much to do.
func (a *api) do(method, path, contentType string, body []byte, buf *bytes.Buffer) error {
	for try := 0; ; try++ {
		code, err := a.try(method, path, contentType, body, buf)
		if err != nil {
			return err
		}
		if code == http.StatusTooManyRequests && try < 20 {
			a.retried.Add(1)
			time.Sleep(time.Duration(20*(try+1)) * time.Millisecond)
			continue
		}
		if code >= 300 {
			b := buf.Bytes()
			return fmt.Errorf("%s %s: %d %s", method, path, code, b[:min(len(b), 600)])
		}
		return nil
	}
}

func (a *api) try(method, path, contentType string, body []byte, buf *bytes.Buffer) (int, error) {
	req, err := http.NewRequest(method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", a.auth)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "bench-loader")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	buf.Reset()
	_, err = buf.ReadFrom(res.Body)
	return res.StatusCode, err
}

// generation finds metadata.generation: the first unescaped "generation": of a custom resource, whose keys the apiserver
// writes in sorted order (apiVersion, kind, metadata, ...).
func generation(b []byte) int64 {
	key := []byte(`"generation":`)
	i := bytes.Index(b, key)
	if i < 0 {
		return 0
	}
	b = b[i+len(key):]
	j := 0
	for j < len(b) && b[j] >= '0' && b[j] <= '9' {
		j++
	}
	n, _ := strconv.ParseInt(string(b[:j]), 10, 64)
	return n
}

// parallel runs f(0..n-1) on w workers and returns the first error, after which it starts no further one.
func parallel(n, w int, f func(i int) error) error {
	var next, failed atomic.Int64
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	for range min(w, n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for failed.Load() == 0 {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					failed.Store(1)
					once.Do(func() { first = err })
				}
			}
		}()
	}
	wg.Wait()
	return first
}
