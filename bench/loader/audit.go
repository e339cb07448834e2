package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// requests of the operator within a phase, from the audit log. The policy logs the operator's user only, so that the
// loader's requests cost nothing; watches are counted when they start.
type requests struct {
	Total  int            `json:"total"`
	Writes int            `json:"writes"`
	By     map[string]int `json:"by"`               // "verb resource[/subresource]" -> count
	Errors map[string]int `json:"errors,omitempty"` // "code verb resource" -> count
	// OtherWrites are writes to objects outside of the given set (see readAudit).
	OtherWrites int `json:"otherWrites"`
}

type auditEvent struct {
	Stage     string `json:"stage"`
	Verb      string `json:"verb"`
	ObjectRef *struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus *struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

func isWrite(verb string) bool {
	switch verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// readAudit counts from offset to the end. own: names of objects whose writes are expected; others count as OtherWrites
// (leases and events included).
func readAudit(path string, offset int64, own map[string]bool) (r requests, end int64, err error) {
	r.By, r.Errors = map[string]int{}, map[string]int{}
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return r, offset, nil
	}
	if err != nil {
		return r, offset, err
	}
	defer f.Close()
	if _, err = f.Seek(offset, io.SeekStart); err != nil {
		return r, offset, err
	}
	end = offset
	rd := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := rd.ReadBytes('\n')
		if err == io.EOF {
			return r, end, nil // an unfinished line is left for the next time
		}
		if err != nil {
			return r, end, err
		}
		end += int64(len(line))
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return r, end, err
		}
		if (e.Verb == "watch") != (e.Stage == "ResponseStarted") {
			continue
		}
		r.count(&e, own)
	}
}

func (r *requests) count(e *auditEvent, own map[string]bool) {
	what := "(discovery)"
	name := ""
	if o := e.ObjectRef; o != nil && o.Resource != "" {
		what, name = o.Resource, o.Name
		if o.Subresource != "" {
			what += "/" + o.Subresource
		}
	}
	r.Total++
	r.By[e.Verb+" "+what]++
	if isWrite(e.Verb) {
		r.Writes++
		if !own[name] {
			r.OtherWrites++
		}
	}
	if s := e.ResponseStatus; s != nil && s.Code >= 400 {
		r.Errors[fmt.Sprintf("%d %s %s", s.Code, e.Verb, what)]++
	}
}
