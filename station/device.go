package station

import (
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Device is a device as of one moment. It is immutable.
type Device struct {
	// EPR is its stable address, XAddr the transport address in use.
	EPR, XAddr string
	// Name, Manufacturer, Model and Serial are what its metadata say.
	Name, Manufacturer, Model, Serial string
	// Rule is the name of the rule that took it.
	Rule string
	Link Link
	// MDIB is the newest snapshot; nil before the first connection. Whether it is what the device has now is told by Link.
	MDIB *mdib.Snapshot
	// Systems are the MDSs.
	Systems []*System
}

// Live tells whether the device shows what it has now.
func (d *Device) Live() bool { return d.Link.State == LinkLive }

// System finds an MDS by its handle; nil if there is none.
func (d *Device) System(handle string) *System {
	i := slices.IndexFunc(d.Systems, func(s *System) bool { return s.Handle == handle })
	if i < 0 {
		return nil
	}
	return d.Systems[i]
}

// Value finds a value of any MDS by its handle; nil if there is none.
func (d *Device) Value(handle string) *Value {
	for _, s := range d.Systems {
		if v := s.Value(handle); v != nil {
			return v
		}
	}
	return nil
}

// System is one MDS of a device: the unit that has a patient, a place and a clock. It is immutable.
type System struct {
	// Device is the EPR of the device, Handle that of the MDS.
	Device, Handle string
	Type           Code
	Label          string
	// Mode is what the MDS is being used for: in demonstration mode its values may be made up.
	Mode       pm.MdsOperatingMode
	Activation pm.ComponentActivation
	// Link is that of the device.
	Link       Link
	Clock      Clock
	Patient    PatientContext
	Location   LocationContext
	Ensembles  []EnsembleContext
	Values     []*Value
	Waves      []*Wave
	Alerts     []*Alert
	Operations []*Operation
}

// Live tells whether the MDS shows what it has now.
func (s *System) Live() bool { return s.Link.State == LinkLive }

// Value finds a value by its handle; nil if there is none.
func (s *System) Value(handle string) *Value {
	i := slices.IndexFunc(s.Values, func(v *Value) bool { return v.Handle == handle })
	if i < 0 {
		return nil
	}
	return s.Values[i]
}

// Operation finds an operation by its handle; nil if there is none.
func (s *System) Operation(handle string) *Operation {
	i := slices.IndexFunc(s.Operations, func(o *Operation) bool { return o.Handle == handle })
	if i < 0 {
		return nil
	}
	return s.Operations[i]
}
