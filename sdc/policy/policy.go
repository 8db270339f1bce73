// Package policy reads from a file what trusted peers may do to a device.
//
//	version: 1
//	default: read-only        # or: deny, allow; what holds when no rule matches
//	rules:
//	  - name: anaesthesia workplace
//	    effect: allow
//	    peers: ["cn:workplace-*", "sha256:9f86..."]
//	    access: [control]
//	    subtrees: [vent.vmd]
//	  - name: no archive for the gateway
//	    effect: deny
//	    peers: ["cn:gateway"]
//	    services: [ArchiveService]
//
// The first rule that matches decides. A rule matches when each list that it has matches: peers (the patterns of sdc.PeerPattern), access (metadata, read,
// subscribe, control), services (port types), actions (names such as SetValue or whole URIs), operations (handles), and subtrees (handles of descriptors; the
// operation or its target is one or stands below). Rules with operations or subtrees match calls of operations only. Without certificates, over plain HTTP, no rule with peers matches.
//
// The file is YAML, or JSON, which is a part of it. Whatever is not known is an error that names the line.
package policy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/semeco/go-sdc/internal/yamldoc"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// maxFile bounds a policy file in bytes.
const maxFile = 1 << 20

// Policy is what a file says. It is immutable and implements provider.Policy.
type Policy struct {
	fallback string
	rules    []rule
}

type rule struct {
	name       string
	line       int
	allow      bool
	peers      sdc.PeerList
	access     []string
	services   []string
	actions    []string
	operations []string
	subtrees   []string
}

// value is one text of the file with the line it stands in.
type value struct {
	text string
	line int
}

// UnmarshalYAML implements the interface of the YAML library for nodes.
func (v *value) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return errors.New("a single value is expected")
	}
	v.text, v.line = n.Value, n.Line
	return nil
}

// document is the file as it is written.
type document struct {
	Version value     `yaml:"version"`
	Default value     `yaml:"default"`
	Rules   []entries `yaml:"rules"`
}

type entries struct {
	Name       value   `yaml:"name"`
	Effect     value   `yaml:"effect"`
	Peers      []value `yaml:"peers"`
	Access     []value `yaml:"access"`
	Services   []value `yaml:"services"`
	Actions    []value `yaml:"actions"`
	Operations []value `yaml:"operations"`
	Subtrees   []value `yaml:"subtrees"`
}

// Read reads a policy file. The error names file and line.
func Read(path string) (*Policy, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("policy: %s is larger than %d bytes", path, maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("policy: %s: %w", path, err)
	}
	return p, nil
}

// Parse reads a policy. The error names everything that is wrong with its lines, at least the first mistake of form.
func Parse(text []byte) (*Policy, error) {
	var doc document
	content, err := yamldoc.Read(text)
	if err == nil {
		err = yamldoc.Decode(content, &doc)
	}
	if err != nil && !errors.Is(err, yamldoc.ErrNone) { // a file without anything has no version
		return nil, err
	}
	p := &Policy{fallback: doc.Default.text}
	var errs []error
	bad := func(v value, format string, args ...any) {
		errs = append(errs, fmt.Errorf("line %d: %w", max(v.line, 1), fmt.Errorf(format, args...)))
	}
	if doc.Version.text != "1" {
		bad(doc.Version, "version is %q, not 1", doc.Version.text)
	}
	switch p.fallback {
	case "":
		p.fallback = "read-only"
	case "read-only", "deny", "allow":
	default:
		bad(doc.Default, "default is %q, none of read-only, deny, allow", p.fallback)
	}
	for _, e := range doc.Rules {
		p.rules = append(p.rules, e.rule(bad))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

func (e *entries) rule(bad func(value, string, ...any)) rule {
	r := rule{name: e.Name.text, line: e.Effect.line, allow: e.Effect.text == "allow"}
	at := e.Effect
	if at.line == 0 {
		at.line = e.Name.line
	}
	if e.Effect.text != "allow" && e.Effect.text != "deny" {
		bad(at, "effect is %q, neither allow nor deny", e.Effect.text)
	}
	for _, v := range e.Peers {
		p, err := sdc.ParsePeerPattern(v.text)
		if err != nil {
			bad(v, "%w", err)
			continue
		}
		r.peers = append(r.peers, p)
	}
	known := knownNames()
	list := func(values []value, what string, valid func(string) bool) []string {
		var out []string
		for _, v := range values {
			if !valid(v.text) {
				bad(v, "there is no %s %q", what, v.text)
			}
			out = append(out, v.text)
		}
		return out
	}
	r.access = list(e.Access, "access", func(s string) bool {
		return slices.Contains([]provider.AccessKind{provider.AccessMetadata, provider.AccessRead, provider.AccessSubscribe, provider.AccessControl}, provider.AccessKind(s))
	})
	r.services = list(e.Services, "service", func(s string) bool { return known.services[s] })
	r.actions = list(e.Actions, "action", func(s string) bool { return known.actions[s] })
	handle := func(s string) bool { return strings.TrimSpace(s) != "" }
	r.operations, r.subtrees = list(e.Operations, "operation", handle), list(e.Subtrees, "subtree", handle)
	for _, empty := range []struct {
		have []value
		name string
	}{{e.Peers, "peers"}, {e.Access, "access"}, {e.Services, "services"}, {e.Actions, "actions"}, {e.Operations, "operations"}, {e.Subtrees, "subtrees"}} {
		if empty.have != nil && len(empty.have) == 0 {
			bad(at, "%s is an empty list, which nothing matches; leave it out to match all", empty.name)
		}
	}
	if (len(r.operations) > 0 || len(r.subtrees) > 0) && len(r.access) > 0 && !slices.Contains(r.access, string(provider.AccessControl)) {
		bad(at, "operations and subtrees are for the access control")
	}
	return r
}

type names struct{ services, actions map[string]bool }

func knownNames() names {
	n := names{map[string]bool{sdc.HistoryService: true}, map[string]bool{}}
	for _, s := range sdc.Services() {
		n.services[s.Name] = true
		for _, o := range s.Operations {
			n.actions[o.Action], n.actions[o.Name] = true, true
		}
	}
	return n
}

// Denied is the refusal of a request.
type Denied struct {
	// Rule is the name of the rule that decided, or its line; "" when none matched.
	Rule string
}

// Error says who decided.
func (e *Denied) Error() string {
	if e.Rule == "" {
		return "no rule of the policy permits it"
	}
	return "the policy forbids it (" + e.Rule + ")"
}

// Authorise implements provider.Policy. The error is a *Denied.
func (p *Policy) Authorise(_ context.Context, a *provider.Access) error {
	for i := range p.rules {
		r := &p.rules[i]
		if !r.matches(a) {
			continue
		}
		if r.allow {
			return nil
		}
		if r.name != "" {
			return &Denied{Rule: r.name}
		}
		return &Denied{Rule: fmt.Sprintf("line %d", r.line)}
	}
	if p.fallback == "allow" || p.fallback == "read-only" && a.Kind != provider.AccessControl {
		return nil
	}
	return &Denied{}
}

func (r *rule) matches(a *provider.Access) bool {
	if r.peers != nil {
		if _, ok := r.peers.Match(a.Peer.Certificate); !ok {
			return false
		}
	}
	if r.access != nil && !slices.Contains(r.access, string(a.Kind)) || r.services != nil && !slices.Contains(r.services, a.Service) {
		return false
	}
	if r.actions != nil && !slices.Contains(r.actions, a.Action) && !slices.Contains(r.actions, a.Action[strings.LastIndexByte(a.Action, '/')+1:]) {
		return false
	}
	if r.operations == nil && r.subtrees == nil {
		return true
	}
	if a.Operation == nil {
		return false
	}
	handle, target := a.Operation.Base().Handle, a.Operation.BaseOperation().OperationTarget
	if r.operations != nil && !slices.Contains(r.operations, handle) {
		return false
	}
	return r.subtrees == nil || below(a.MDIB, handle, r.subtrees) || below(a.MDIB, target, r.subtrees)
}

// below tells whether a handle is one of the roots or stands below one.
func below(snap *mdib.Snapshot, handle string, roots []string) bool {
	if s, ok := snap.State(handle); ok {
		handle = s.BaseState().DescriptorHandle // the target may be a context state
	}
	for ok := handle != ""; ok && handle != ""; handle, ok = snap.Parent(handle) {
		if slices.Contains(roots, handle) {
			return true
		}
	}
	return false
}

// Check lists the handles of the policy that an MDIB does not have: likely mistakes, but no errors, because descriptors come and go.
func (p *Policy) Check(snap *mdib.Snapshot) []string {
	var out []string
	for _, r := range p.rules {
		for _, h := range slices.Concat(r.operations, r.subtrees) {
			if _, ok := snap.Descriptor(h); !ok {
				out = append(out, fmt.Sprintf("rule %q of line %d names %q, which the MDIB does not have", r.name, r.line, h))
			}
		}
	}
	return out
}
