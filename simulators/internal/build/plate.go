package build

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Plate is what a simulated device starts with and what it says of itself. A simulator embeds it.
type Plate struct {
	mdib *mdib.Snapshot
	name string
}

// NewPlate takes the rest from the meta data of the MDS.
func NewPlate(snap *mdib.Snapshot, friendlyName string) Plate { return Plate{snap, friendlyName} }

// MDIB is what the device starts with.
func (p *Plate) MDIB() *mdib.Snapshot { return p.mdib }

// Model is shown to users.
func (p *Plate) Model() dpws.ThisModel {
	m := p.metaData()
	out := dpws.ThisModel{Manufacturer: dpws.Localized(Manufacturer, "en"), ModelNumber: m.ModelNumber}
	if len(m.ModelName) > 0 {
		out.ModelName = dpws.Localized(m.ModelName[0].Text, "en")
	}
	return out
}

// Device is shown to users.
func (p *Plate) Device() dpws.ThisDevice {
	out := dpws.ThisDevice{FriendlyName: dpws.Localized(p.name, "en"), FirmwareVersion: "1"}
	if serials := p.metaData().SerialNumber; len(serials) > 0 {
		out.SerialNumber = serials[0]
	}
	return out
}

func (p *Plate) metaData() *pm.MetaData {
	if mds, ok := mdib.Get[*pm.MdsDescriptor](p.mdib, HandleMDS); ok && mds.MetaData != nil {
		return mds.MetaData
	}
	return &pm.MetaData{}
}
