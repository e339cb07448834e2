package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// comparison of paired runs.
type comparison struct {
	Ref     []*result       `json:"ref"`
	Subject []*result       `json:"subject"`
	Rows    []comparisonRow `json:"rows"`
}

type comparisonRow struct {
	Key         string    `json:"key"`
	Label       string    `json:"label"`
	Ref         []float64 `json:"ref"`
	Subject     []float64 `json:"subject"`
	MinRatio    float64   `json:"minRatio"`    // min(subject) / min(ref)
	MedianRatio float64   `json:"medianRatio"` // median of the ratios of the pairs

	format string
}

// compare runs the pairs, prints the table and leaves it in compare.json and compare.txt.
func compare(c *config) error {
	cmp := &comparison{}
	for i := range c.pairs {
		if !c.alone {
			logf("pair %d of %d: %s, N=%d", i+1, c.pairs, c.reference.name, c.tenants)
			ref, err := run(c, c.reference)
			if err != nil {
				return err
			}
			cmp.Ref = append(cmp.Ref, ref)
		}
		logf("pair %d of %d: %s, N=%d", i+1, c.pairs, c.subject.name, c.tenants)
		subject, err := run(c, c.subject)
		if err != nil {
			return err
		}
		cmp.Subject = append(cmp.Subject, subject)
	}
	for _, row := range rows {
		if cr := compareRow(row, cmp.Ref, cmp.Subject); len(cr.Ref)+len(cr.Subject) > 0 {
			cmp.Rows = append(cmp.Rows, cr)
		}
	}
	var text bytes.Buffer
	cmp.table(&text, c)
	os.Stdout.Write(text.Bytes())
	fmt.Printf("\nresults: %s\n", c.out)
	return errors.Join(
		writeJSON(filepath.Join(c.out, "compare.json"), cmp),
		os.WriteFile(filepath.Join(c.out, "compare.txt"), text.Bytes(), 0o644),
		cmp.failures(),
	)
}

func compareRow(row row, refs, subjects []*result) comparisonRow {
	cr := comparisonRow{Key: row.key, Label: row.label, format: row.format}
	var ratios []float64
	for i, subject := range subjects {
		b, okB := subject.Metrics[row.key]
		if okB {
			cr.Subject = append(cr.Subject, b)
		}
		if i >= len(refs) {
			continue
		}
		a, okA := refs[i].Metrics[row.key]
		if okA {
			cr.Ref = append(cr.Ref, a)
		}
		if okA && okB && a > 0 {
			ratios = append(ratios, b/a)
		}
	}
	if len(cr.Ref) > 0 && len(cr.Subject) > 0 && slices.Min(cr.Ref) > 0 {
		cr.MinRatio = slices.Min(cr.Subject) / slices.Min(cr.Ref)
	}
	cr.MedianRatio = median(ratios)
	return cr
}

func (cmp *comparison) failures() error {
	var all []error
	for _, r := range slices.Concat(cmp.Ref, cmp.Subject) {
		if len(r.Errors) > 0 {
			all = append(all, fmt.Errorf("%s had errors: %s", r.Name, strings.Join(r.Errors, "; ")))
		}
	}
	return errors.Join(all...)
}

func median(s []float64) float64 {
	if len(s) == 0 {
		return 0
	}
	s = slices.Clone(s)
	slices.Sort(s)
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

func (cmp *comparison) table(w io.Writer, c *config) {
	ref, subject := c.reference.name, c.subject.name
	fmt.Fprintf(w, "%s against %s, N=%d, %d runs each; ratio = %s / %s, below 1 %s is better\n\n",
		subject, ref, c.tenants, len(cmp.Subject), subject, ref, subject)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\t%s min\tmed\t%s min\tmed\tmin ratio\tmedian ratio\n", ref, subject)
	for _, cr := range cmp.Rows {
		show := func(s []float64, f func([]float64) float64) string {
			if len(s) == 0 {
				return "-"
			}
			return fmt.Sprintf(cr.format, f(s))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cr.Label, show(cr.Ref, slices.Min[[]float64]), show(cr.Ref, median),
			show(cr.Subject, slices.Min[[]float64]), show(cr.Subject, median), ratioText(cr.MinRatio), ratioText(cr.MedianRatio))
	}
	tw.Flush()
}

func ratioText(ratio float64) string {
	if ratio == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}
