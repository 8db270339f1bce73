package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/policy"
	"github.com/semeco/go-sdc/sdc/provider"
)

const example = `
version: 1
default: read-only
rules:
  - name: no archive for the gateway
    effect: deny
    peers: ["cn:gateway"]
    services: [ArchiveService]
  - name: not this one
    effect: deny
    operations: [act]
  - effect: allow
    peers: ["cn:workplace-*", "purpose:1.2.3.4"]
    access: [control]
    subtrees: [vmd]
  - name: strings
    effect: allow
    peers: ["cn:gateway"]
    actions: [SetString]
`

func TestPolicy(t *testing.T) {
	p, err := policy.Parse([]byte(example))
	require.NoError(t, err)
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	peer := func(name string, purposes ...string) *sdc.Peer {
		part, err := ca.Issue(pki.Request{Name: name, Role: sdc.RoleConsumer, Purposes: purposes})
		require.NoError(t, err)
		return &sdc.Peer{Certificate: part.Certificate}
	}
	workplace, gateway, special, stranger, unknown := peer("workplace-7"), peer("gateway"), peer("x", "1.2.3.4"), peer("stranger"), &sdc.Peer{}
	snap, err := mdib.ReadFile("../provider/testdata/device.xml")
	require.NoError(t, err)
	control := func(operation, action string) provider.Access {
		d, ok := snap.Descriptor(operation)
		require.True(t, ok, operation)
		return provider.Access{Kind: provider.AccessControl, Service: sdc.SetService, Action: action, Operation: d.(pm.OperationDescriptor), MDIB: snap}
	}
	read := provider.Access{Kind: provider.AccessRead, Service: sdc.GetService, Action: sdc.ActionGetMdib}
	archive := provider.Access{Kind: provider.AccessRead, Service: sdc.ArchiveService, Action: sdc.ActionGetStatesFromArchive}
	subscribe := provider.Access{Kind: provider.AccessSubscribe, Service: sdc.StateEventService, Action: sdc.ActionEpisodicMetricReport}
	value, text, act := control("value.set", sdc.ActionSetValue), control("string.set", sdc.ActionSetString), control("act", sdc.ActionActivate)
	for name, c := range map[string]struct {
		peer   *sdc.Peer
		access provider.Access
		want   string // "" permits
	}{
		"anybody reads":                   {stranger, read, ""},
		"anybody subscribes":              {stranger, subscribe, ""},
		"nobody controls by default":      {stranger, value, "no rule of the policy permits it"},
		"unknown peers read":              {unknown, read, ""},
		"unknown peers do not control":    {unknown, value, "no rule"},
		"denied service":                  {gateway, archive, "no archive for the gateway"},
		"that service for others":         {workplace, archive, ""},
		"target below the subtree":        {workplace, value, ""},
		"by key purpose":                  {special, value, ""},
		"the first rule decides":          {workplace, act, "not this one"},
		"by action":                       {gateway, text, ""},
		"that action only":                {gateway, value, "no rule"},
		"a rule of control does not read": {workplace, read, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.access.Peer = c.peer
			err := p.Authorise(t.Context(), &c.access)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var denied *policy.Denied
			require.ErrorAs(t, err, &denied)
			require.ErrorContains(t, err, c.want)
		})
	}
	require.Empty(t, p.Check(snap))
	for text, allowed := range map[string][2]bool{"deny": {false, false}, "allow": {true, true}, "read-only": {true, false}} {
		p, err := policy.Parse([]byte("version: 1\ndefault: " + text + "\n"))
		require.NoError(t, err)
		read.Peer, value.Peer = stranger, stranger
		require.Equal(t, allowed, [2]bool{p.Authorise(t.Context(), &read) == nil, p.Authorise(t.Context(), &value) == nil}, text)
	}
	json, err := policy.Parse([]byte(`{"version": 1, "rules": [{"effect": "allow", "operations": ["gone"]}]}`))
	require.NoError(t, err)
	require.Len(t, json.Check(snap), 1)
}

func TestMistakesNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "version is \"\", not 1",
		"version: 2":                 "line 1: version is",
		"version: 1\ndefault: maybe": "line 2: default is",
		"version: 1\ncolour: red":    "line 2:",
		"version: 1\nrules:\n  - effect: allow\n    peer: [a]":                                            "line 4:",
		"version: 1\nrules:\n  - effect: perhaps":                                                         "line 3: effect is",
		"version: 1\nrules:\n  - name: x":                                                                 "line 3: effect is \"\"",
		"version: 1\nrules:\n  - effect: allow\n    peers:\n      - cn:a\n      - king":                   "line 6: \"king\"",
		"version: 1\nrules:\n  - effect: allow\n    peers: [\"sha256:12\"]":                               "line 4: \"sha256:12\"",
		"version: 1\nrules:\n  - effect: allow\n    services: [GetServices]":                              "line 4: there is no service \"GetServices\"",
		"version: 1\nrules:\n  - effect: allow\n    actions: [SetAll]":                                    "there is no action",
		"version: 1\nrules:\n  - effect: allow\n    access: [write]":                                      "there is no access",
		"version: 1\nrules:\n  - effect: allow\n    access: [read]\n    operations: [a]":                  "for the access control",
		"version: 1\nrules:\n  - effect: allow\n    peers: []":                                            "empty list",
		"version: 1\nrules:\n  - effect: allow\n    operations: {a: b}":                                   "line 4",
		"version: 1\nrules:\n  - effect: [allow]":                                                         "line 3",
		"version: 1\nversion: 1":                                                                          "line 2",
		"version: [":                                                                                      "line 1",
		"version: 1\nrules:\n  - effect: deny\n    operations: [a, ~]":                                    "line 4: an item of a list is empty",
		"version: 1\n---\nversion: 1":                                                                     "more than one document",
		"version: 1\nrules:\n  - effect: perhaps\n    services: [a]\n  - effect: allow\n    peers: [b]\n": "line 6",
	} {
		_, err := policy.Parse([]byte(text))
		require.Error(t, err, text)
		require.ErrorContains(t, err, want, text)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	_, err := policy.Read(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("version: 3"), 0o600))
	_, err = policy.Read(path)
	require.ErrorContains(t, err, path+": line 1")
	require.NoError(t, os.WriteFile(path, make([]byte, 2<<20), 0o600))
	_, err = policy.Read(path)
	require.ErrorContains(t, err, "larger")
	require.NoError(t, os.WriteFile(path, []byte(example), 0o600))
	_, err = policy.Read(path)
	require.NoError(t, err)
	require.EqualError(t, &policy.Denied{}, "no rule of the policy permits it")
	require.True(t, errors.As(error(&policy.Denied{Rule: "x"}), new(*policy.Denied)))
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"version": 1}`))
	f.Add([]byte("version: 1\nrules:\n  - name: a\n    peers: !00\n0\n  - b: c\nd: e")) // the library panics
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}
