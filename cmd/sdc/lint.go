package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
)

type lintCmd struct {
	deviceFlags
	Source   []string `arg:"" name:"source" help:"MDIB files, or devices: EPR, unique prefix of one, friendly name or URL."`
	Profile  string   `default:"base" enum:"base,sdpi-2.5" help:"Set of rules: ${enum}."`
	Severity string   `default:"warning" enum:"error,warning,info" help:"Least severity shown: ${enum}."`
	JSON     bool     `name:"json" xor:"form" help:"One JSON object a finding."`
	SARIF    bool     `name:"sarif" xor:"form" help:"One SARIF 2.1.0 log."`
}

// finding is what sdc lint --json tells of one.
type finding struct {
	Source   string `json:"source"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"`
	ID       string `json:"id"`
	Handle   string `json:"handle,omitempty"`
	Message  string `json:"message"`
}

func (c *lintCmd) Run(e *env) error {
	profile, err := mdib.ParseProfile(c.Profile)
	if err != nil {
		return usageError{err}
	}
	least := map[string]mdib.Severity{
		"error": mdib.SeverityError, "warning": mdib.SeverityWarning, "info": mdib.SeverityInfo,
	}[c.Severity]
	var reports []*lint.Report
	failed := false
	for _, source := range c.Source {
		r, err := c.report(e, source, profile)
		if err != nil {
			return err
		}
		failed = failed || r.Count(mdib.SeverityError) > 0
		reports = append(reports, r)
	}
	hidden := 0
	for _, r := range reports {
		hidden += r.Keep(least)
	}
	if err := c.print(e, reports, hidden); err != nil {
		return err
	}
	if failed {
		return errSilent
	}
	return nil
}

func (c *lintCmd) report(e *env, source string, profile mdib.Profile) (*lint.Report, error) {
	if isFile(source) {
		doc, err := readDocument(source)
		if err != nil {
			return nil, err
		}
		return lint.Document(source, doc, profile), nil
	}
	dev, closeAll, err := c.connect(e, source)
	if err != nil {
		r := &lint.Report{Source: source, Profile: profile}
		if r.Refused(err) { // what it sends is no MDIB
			return r, nil
		}
		return nil, err
	}
	defer closeAll()
	return lint.Snapshot(dev.EPR(), dev.MDIB(), profile), nil
}

func (c *lintCmd) print(e *env, reports []*lint.Report, hidden int) error {
	if c.SARIF {
		return lint.WriteSARIF(e.out, reports...)
	}
	count := map[mdib.Severity]int{}
	for _, r := range reports {
		for _, f := range r.Findings {
			count[f.Severity]++
			if c.JSON {
				if err := writeJSON(e.out, finding{r.Source, f.Line, f.Column, f.Severity.String(), f.ID, f.Handle, f.Message}); err != nil {
					return err
				}
				continue
			}
			at := r.Source
			if f.Line > 0 {
				at += fmt.Sprintf(":%d:%d", f.Line, f.Column)
			}
			if _, err := fmt.Fprintf(e.out, "%s: %s\n", at, printable(f.Finding.String())); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return nil
	}
	summary := fmt.Sprintf("%s: %d errors, %d warnings", c.Profile, count[mdib.SeverityError], count[mdib.SeverityWarning])
	if c.Severity == "info" {
		summary += fmt.Sprintf(", %d remarks", count[mdib.SeverityInfo])
	}
	if hidden > 0 {
		summary += fmt.Sprintf("; %d less severe not shown (--severity info)", hidden)
	}
	_, err := fmt.Fprintln(e.out, summary)
	return err
}

// isFile tells a file from what names a device: it is there, or looks like one.
func isFile(source string) bool {
	if strings.Contains(source, "://") || strings.HasPrefix(source, "urn:") {
		return false
	}
	if _, err := os.Stat(source); err == nil {
		return true
	}
	return strings.HasSuffix(source, ".xml") || strings.ContainsAny(source, `/\`)
}

// readDocument reads a whole file of bounded size.
func readDocument(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case info.Size() > mdib.MaxFileSize:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, mdib.MaxFileSize)
	}
	doc, err := os.ReadFile(path)
	if err == nil && len(doc) == 0 {
		err = errors.New(path + " is empty")
	}
	return doc, err
}
