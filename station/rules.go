package station

import (
	"errors"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
)

// Rule says which devices to connect to, by what they tell in discovery. Every condition that is set must hold.
type Rule struct {
	// Name is for people.
	Name string
	// Devices are types of the MDS (scope sdc.cdc.type), any of which will do: MDC("70001") is a ventilator.
	Devices []Code
	// Location is where the device must be: each field that is set must be the same.
	Location sdc.LocationDetail
	// Types must all be types of the endpoint, beyond that of every medical device.
	Types []discovery.Name
	// Scopes must each match one of the endpoint's by RFC 3986 prefix.
	Scopes []string
	// KeyPurposes are the OIDs of key purposes that the device must offer, all of them.
	KeyPurposes []string
	// EPRs are addresses of devices, any of which will do.
	EPRs []string
	// Max bounds the devices taken by this rule at a time; 0 is no bound but that of the station.
	Max int
	// Ensemble is what the devices join; the zero value leaves their ensembles alone.
	Ensemble EnsembleRule
}

// Validate tells everything that is wrong with the rule.
func (r Rule) Validate() error {
	var errs []error
	for _, c := range r.Devices {
		if c.Code == "" {
			errs = append(errs, errors.New("a device type without a code"))
		}
	}
	for _, t := range r.Types {
		if t.Local == "" {
			errs = append(errs, errors.New("a type without a name"))
		}
	}
	for _, list := range []struct {
		what   string
		values []string
	}{{"scope", r.Scopes}, {"key purpose", r.KeyPurposes}, {"EPR", r.EPRs}} {
		if slices.Contains(list.values, "") {
			errs = append(errs, fmt.Errorf("an empty %s", list.what))
		}
	}
	if r.Ensemble.Root == "" && r.Ensemble.ID != "" {
		errs = append(errs, errors.New("the ensemble has no root"))
	}
	if r.Ensemble.Root != "" && !(Identifier{r.Ensemble.Root, "x"}).Usable() {
		errs = append(errs, fmt.Errorf("the root of the ensemble, %s, means that none is known", r.Ensemble.Root))
	}
	if r.Max < 0 {
		errs = append(errs, errors.New("max must not be negative"))
	}
	return errors.Join(errs...)
}

// Match tells whether the rule takes a device.
func (r Rule) Match(e discovery.Endpoint) bool {
	if len(r.EPRs) > 0 && !slices.Contains(r.EPRs, e.EPR) {
		return false
	}
	if !(discovery.Filter{Types: r.Types, Scopes: r.Scopes}).Match(e) {
		return false
	}
	for _, oid := range r.KeyPurposes {
		if !slices.ContainsFunc(e.Scopes, func(s string) bool {
			got, err := sdc.ParsePKPScope(s)
			return err == nil && got == oid
		}) {
			return false
		}
	}
	if len(r.Devices) > 0 && !slices.ContainsFunc(e.Scopes, r.isDevice) {
		return false
	}
	return r.Location.IsZero() || slices.ContainsFunc(e.Scopes, r.isLocation)
}

func (r Rule) isDevice(scope string) bool {
	got, err := sdc.ParseCodeScope(scope)
	return err == nil && slices.Contains(r.Devices, Code{System: system(got.CodingSystem), Code: got.Code})
}

func (r Rule) isLocation(scope string) bool {
	got, err := sdc.ParseContextScope(scope)
	return err == nil && got.Kind == sdc.LocationContext && within(got.Location, r.Location)
}

// within tells whether a place is the one wanted or a part of it.
func within(place, wanted sdc.LocationDetail) bool {
	for _, f := range [][2]string{
		{place.Facility, wanted.Facility}, {place.Building, wanted.Building}, {place.Floor, wanted.Floor},
		{place.PoC, wanted.PoC}, {place.Room, wanted.Room}, {place.Bed, wanted.Bed},
	} {
		if f[1] != "" && f[0] != f[1] {
			return false
		}
	}
	return true
}
