package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
)

type discoverCmd struct {
	netFlags
	trustFlags
	For   time.Duration `default:"3s" help:"How long to wait for answers."`
	Scope []string      `placeholder:"URI" sep:"none" help:"Only devices with a scope that matches (rule rfc3986); repeatable."`
	All   bool          `help:"Every WS-Discovery target, not only medical devices."`
	JSON  bool          `name:"json" help:"One JSON object a device."`
}

// discovered is a device as --json shows it.
type discovered struct {
	EPR             string   `json:"epr"`
	Types           []string `json:"types"`
	Scopes          []string `json:"scopes"`
	XAddrs          []string `json:"xaddrs"`
	MetadataVersion uint32   `json:"metadata_version"`
}

func (c *discoverCmd) Run(e *env) error {
	if c.For <= 0 {
		return usagef("--for takes a positive duration, not %s", c.For)
	}
	for _, s := range c.Scope {
		if err := checkScope(s); err != nil {
			return err
		}
	}
	filter := discovery.Filter{Scopes: c.Scope}
	if !c.All {
		filter.Types = discovery.DeviceTypes()
	}
	client, err := c.finder(e, c.trustFlags)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // what was found is what counts
	found, err := client.Probe(e.ctx, filter, c.For)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	t := newTable("EPR", "LOCATION", "KIND", "ADDRESS")
	for _, ep := range found {
		if c.JSON {
			d := discovered{EPR: ep.EPR, Types: []string{}, Scopes: nonNil(ep.Scopes), XAddrs: nonNil(ep.XAddrs), MetadataVersion: ep.MetadataVersion}
			for _, n := range ep.Types {
				d.Types = append(d.Types, n.String())
			}
			if err := writeJSON(e.out, d); err != nil {
				return err
			}
			continue
		}
		t.add(ep.EPR, location(ep.Scopes), kinds(ep.Scopes), strings.Join(ep.XAddrs, " "))
	}
	if c.JSON {
		return nil
	}
	if len(found) == 0 {
		fmt.Fprintf(e.err, "no device answered within %s on %s\n", c.For, c.network())
		return nil
	}
	return t.print(e.out)
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// location tells the associated location among the scopes, for people.
func location(scopes []string) string {
	for _, s := range scopes {
		c, err := sdc.ParseContextScope(s)
		if err != nil || c.Kind != sdc.LocationContext {
			continue
		}
		return c.Location.String()
	}
	return "-"
}

// kinds tells the codes of the MDS types among the scopes.
func kinds(scopes []string) string {
	var codes []string
	for _, s := range scopes {
		if c, err := sdc.ParseCodeScope(s); err == nil {
			codes = append(codes, c.Code)
		}
	}
	if codes == nil {
		return "-"
	}
	return strings.Join(codes, " ")
}
