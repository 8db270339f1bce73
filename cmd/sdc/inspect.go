package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/soap/dpws"
)

type infoCmd struct {
	deviceFlags
	Target string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	JSON   bool   `name:"json" help:"One JSON object."`
}

// deviceInfo is what sdc info shows.
type deviceInfo struct {
	EPR          string   `json:"epr"`
	XAddr        string   `json:"xaddr"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
	ModelNumber  string   `json:"model_number,omitempty"`
	Firmware     string   `json:"firmware,omitempty"`
	Serial       string   `json:"serial,omitempty"`
	Services     []string `json:"services"`
	Contexts     []string `json:"contexts"`
	MDSs         []string `json:"mds"`
	Descriptors  int      `json:"descriptors"`
	MDIBVersion  uint64   `json:"mdib_version"`
	SequenceID   string   `json:"sequence_id"`
}

func (c *infoCmd) Run(e *env) error {
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	snap, m := dev.MDIB(), dev.Metadata()
	info := deviceInfo{
		EPR: dev.EPR(), XAddr: dev.XAddr(), Services: dev.Services(), Contexts: []string{}, MDSs: []string{}, Descriptors: snap.Len(),
		MDIBVersion: snap.Version().MdibVersion, SequenceID: snap.Version().SequenceID,
	}
	if t := m.ThisModel; t != nil {
		info.Manufacturer, info.Model, info.ModelNumber = firstText(t.Manufacturer), firstText(t.ModelName), t.ModelNumber
	}
	if t := m.ThisDevice; t != nil {
		info.Name, info.Firmware, info.Serial = firstText(t.FriendlyName), t.FirmwareVersion, t.SerialNumber
	}
	for ent := range snap.Entities() {
		if ent.Parent == "" {
			info.MDSs = append(info.MDSs, strings.TrimSpace(ent.Handle+" "+concept(ent.Descriptor.Base().Type)))
		}
		for _, s := range ent.Contexts {
			info.Contexts = append(info.Contexts, strings.TrimSuffix(typeName(s), "ContextState")+": "+contextText(s))
		}
	}
	if c.JSON {
		return writeJSON(e.out, info)
	}
	t := newTable("", "")
	t.add("endpoint reference", info.EPR)
	t.add("address", info.XAddr)
	t.add("name", info.Name)
	t.add("manufacturer", info.Manufacturer)
	t.add("model", strings.TrimSpace(info.Model+" "+info.ModelNumber))
	t.add("firmware", info.Firmware)
	t.add("serial number", info.Serial)
	for _, s := range info.MDSs {
		t.add("medical device system", s)
	}
	for _, s := range info.Contexts {
		t.add("context", s)
	}
	t.add("services", strings.Join(info.Services, " "))
	t.add("MDIB", fmt.Sprintf("version %d, %d descriptors, sequence %s", info.MDIBVersion, info.Descriptors, info.SequenceID))
	return t.print(e.out)
}

func firstText(texts []dpws.LocalizedString) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0].Text
}

type treeCmd struct {
	deviceFlags
	recordedFlags
	Target string `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL; or MDIB file or recording, as for sdc diff."`
	JSON   bool   `name:"json" help:"One JSON object an entry."`
}

func (c *treeCmd) Run(e *env) error {
	snap, err := c.snapshot(e, c.Target, c.recordedFlags)
	if err != nil {
		return err
	}
	t := newTable("ENTRY", "TYPE", "NAME", "VALUE")
	for ent := range snap.Entities() {
		if c.JSON {
			if err := writeJSON(e.out, newEntry(ent, false)); err != nil {
				return err
			}
			continue
		}
		indent := strings.Repeat("  ", ent.Depth)
		val := ""
		if ent.State != nil {
			val = value(ent.Descriptor, ent.State)
		}
		t.add(indent+ent.Handle, strings.TrimSuffix(typeName(ent.Descriptor), "Descriptor"), concept(ent.Descriptor.Base().Type), val)
		for _, s := range ent.Contexts {
			t.add(indent+"  "+s.BaseMulti().Handle, typeName(s), "", contextText(s))
		}
	}
	if c.JSON {
		return nil
	}
	return t.print(e.out)
}

type getCmd struct {
	deviceFlags
	recordedFlags
	Target string   `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL; or MDIB file or recording, as for sdc diff."`
	Handle []string `arg:"" optional:"" help:"Handles of descriptors or context states. Default: all."`
	JSON   bool     `name:"json" help:"One JSON object an entry, with descriptor and states in full."`
}

func (c *getCmd) Run(e *env) error {
	snap, err := c.snapshot(e, c.Target, c.recordedFlags)
	if err != nil {
		return err
	}
	entities, err := selectEntities(snap, c.Handle)
	if err != nil {
		return err
	}
	t := newTable("HANDLE", "TYPE", "NAME", "VALUE", "DESCRIPTOR", "STATE")
	for _, ent := range entities {
		if c.JSON {
			if err := writeJSON(e.out, newEntry(ent, true)); err != nil {
				return err
			}
			continue
		}
		row := newEntry(ent, false)
		dv := fmt.Sprintf("v%d", ent.Descriptor.Base().DescriptorVersion)
		if ent.State != nil {
			t.add(row.Handle, row.Type, row.Name, row.Value, dv, fmt.Sprintf("v%d", ent.State.BaseState().StateVersion))
		}
		for _, s := range ent.Contexts {
			t.add(s.BaseMulti().Handle, typeName(s), row.Name, contextText(s), dv, fmt.Sprintf("v%d", s.BaseState().StateVersion))
		}
		if ent.State == nil && ent.Contexts == nil {
			t.add(row.Handle, row.Type, row.Name, "", dv, "-")
		}
	}
	if c.JSON {
		return nil
	}
	return t.print(e.out)
}

// selectEntities returns the entities named, or all. A handle of a context state
// selects that state alone.
func selectEntities(snap *mdib.Snapshot, handles []string) ([]mdib.Entity, error) {
	var out []mdib.Entity
	if len(handles) == 0 {
		for ent := range snap.Entities() {
			out = append(out, ent)
		}
		return out, nil
	}
	var errs []error
	for _, h := range handles {
		if ent, ok := snap.Entity(h); ok {
			out = append(out, ent)
			continue
		}
		found := false
		if parent, ok := snap.Parent(h); ok {
			ent, _ := snap.Entity(parent)
			for _, s := range ent.Contexts {
				if s.BaseMulti().Handle == h {
					ent.Contexts = ent.Contexts[:0:0]
					ent.Contexts = append(ent.Contexts, s)
					out, found = append(out, ent), true
					break
				}
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("the device has no entry %q", h))
		}
	}
	return out, errors.Join(errs...)
}
