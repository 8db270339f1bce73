package station

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/yamldoc"
	"github.com/semeco/go-sdc/sdc"
)

// maxRules bounds the text of rules, in bytes.
const maxRules = 1 << 20

// rulesText is the text form of rules.
type rulesText struct {
	Rules []ruleText `yaml:"rules"`
}

type ruleText struct {
	Name        string   `yaml:"name"`
	Devices     []string `yaml:"devices"`
	Location    string   `yaml:"location"`
	Types       []string `yaml:"types"`
	Scopes      []string `yaml:"scopes"`
	KeyPurposes []string `yaml:"key-purposes"`
	EPRs        []string `yaml:"eprs"`
	Max         int      `yaml:"max"`
	Ensemble    *struct {
		Root string `yaml:"root"`
		ID   string `yaml:"id"`
	} `yaml:"ensemble"`
}

// deviceNames are words for the MDS types of the nomenclature that are common at a bed.
func deviceNames() map[string]Code {
	return map[string]Code{
		"ventilator":    MDC("70001"), // MDC_DEV_SYS_PT_VENT_MDS
		"monitor":       MDC("69965"), // MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS
		"infusion-pump": MDC("69985"), // MDC_DEV_PUMP_INFUS_MDS
	}
}

// ReadRules reads a file of rules.
func ReadRules(path string) ([]Rule, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	defer f.Close()
	rules, err := ParseRules(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rules, nil
}

// ParseRules reads rules from YAML:
//
//	rules:
//	  - name: OR 3
//	    devices: [ventilator, monitor, "urn:oid:2.25.1|word"]
//	    location: fac=H,poc=OR 3
//	    key-purposes: [1.2.840.10004.20701.1.1]
//	    max: 8
//	    ensemble: {root: "urn:oid:2.25.1", id: OR 3}
//
// The devices join the ensemble; without an id that of their place. Each condition may be left out; there are also scopes, eprs, and types, each written {namespace}name. A device is a code of the
// nomenclature, a code with its coding system, or one of the words ventilator, monitor and infusion-pump. What is not known, or stands
// there twice, is an error, and there must be one rule at least: an empty file must not take every device.
func ParseRules(r io.Reader) ([]Rule, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxRules+1))
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if len(b) > maxRules {
		return nil, fmt.Errorf("rules: more than %d bytes", maxRules)
	}
	var doc rulesText
	content, err := yamldoc.Read(b)
	if err == nil {
		err = yamldoc.Decode(content, &doc)
	}
	if err != nil && !errors.Is(err, yamldoc.ErrNone) { // a file without anything has no rule
		return nil, fmt.Errorf("rules: %w", err)
	}
	if len(doc.Rules) == 0 {
		return nil, errors.New("rules: there is no rule; one without conditions takes every device")
	}
	var errs []error
	rules := make([]Rule, 0, len(doc.Rules))
	for i, text := range doc.Rules {
		rule, err := text.rule()
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %d %q: %w", i+1, text.Name, err))
		}
		rules = append(rules, rule)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return rules, nil
}

func (t ruleText) rule() (Rule, error) {
	r := Rule{Name: t.Name, Scopes: t.Scopes, KeyPurposes: t.KeyPurposes, EPRs: t.EPRs, Max: t.Max}
	var errs []error
	names := deviceNames()
	for _, d := range t.Devices {
		c, ok := names[d]
		if !ok {
			if c = ParseCode(d); c.System == "" && !digits(c.Code) {
				errs = append(errs, fmt.Errorf("device %q is neither a code nor one of %s", d, strings.Join(slices.Sorted(maps.Keys(names)), ", ")))
			}
		}
		r.Devices = append(r.Devices, c)
	}
	for _, s := range t.Types {
		space, local, ok := strings.Cut(strings.TrimPrefix(s, "{"), "}")
		if !ok || !strings.HasPrefix(s, "{") || local == "" {
			errs = append(errs, fmt.Errorf("type %q is not {namespace}name", s))
		}
		r.Types = append(r.Types, discovery.Name{Space: space, Local: local})
	}
	var err error
	if r.Location, err = sdc.ParseLocationDetail(t.Location); err != nil {
		errs = append(errs, err)
	}
	if t.Ensemble != nil {
		if t.Ensemble.Root == "" {
			errs = append(errs, errors.New("an ensemble needs a root"))
		}
		r.Ensemble = EnsembleRule{Root: t.Ensemble.Root, ID: t.Ensemble.ID}
	}
	return r, errors.Join(append(errs, r.Validate())...)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
