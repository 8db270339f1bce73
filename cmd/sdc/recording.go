package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/recording"
)

func newEPR() string { return uuid.New().URN() }

// recordingCmd is about recordings as files.
type recordingCmd struct {
	Info    recordingInfoCmd    `cmd:"" help:"Show what is in a recording and check every byte of it."`
	Compare recordingCompareCmd `cmd:"" help:"Tell whether two recordings of a device are identical."`
}

type recordingInfoCmd struct {
	File string `arg:"" type:"existingfile" help:"A recording."`
	JSON bool   `name:"json" help:"One JSON object."`
}

// recordingInfo is what sdc recording info --json shows.
type recordingInfo struct {
	File     string          `json:"file"`
	Whole    bool            `json:"whole"`
	Closed   bool            `json:"closed"`
	Bytes    int64           `json:"bytes"`
	Raw      int64           `json:"raw_bytes"`
	Frames   uint64          `json:"frames"`
	Sessions uint64          `json:"sessions"`
	First    time.Time       `json:"first"`
	Last     time.Time       `json:"last"`
	Devices  []recordingPart `json:"devices"`
	Damage   []string        `json:"damage"`
}

type recordingPart struct {
	EPR     string    `json:"epr"`
	Name    string    `json:"name"`
	Reports uint64    `json:"reports"`
	Bytes   int64     `json:"bytes"`
	MDIBs   uint64    `json:"mdibs"`
	Gaps    uint64    `json:"gaps"`
	Lost    uint64    `json:"lost"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Ended   bool      `json:"ended"`
}

func (c *recordingInfoCmd) Run(e *env) error {
	rec, err := recording.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = rec.Close() }() // only read
	s, err := rec.Check(e.ctx)
	if err != nil {
		return err
	}
	info := recordingInfo{
		File: c.File, Whole: s.Whole(), Closed: s.Closed, Bytes: s.Size, Raw: s.Raw, Frames: s.Frames, Sessions: s.Sessions,
		First: s.First, Last: s.Last, Devices: []recordingPart{}, Damage: []string{},
	}
	for _, d := range s.Devices {
		name := ""
		if len(d.FriendlyName) > 0 {
			name = d.FriendlyName[0].Text
		}
		info.Devices = append(info.Devices, recordingPart{
			EPR: d.EPR, Name: name, Reports: d.Reports, Bytes: d.Bytes, MDIBs: d.MDIBs, Gaps: d.Gaps, Lost: d.Lost, First: d.First, Last: d.Last, Ended: d.Ended,
		})
	}
	for _, d := range s.Damage {
		info.Damage = append(info.Damage, d.String())
	}
	for _, err := range s.Unusable {
		info.Damage = append(info.Damage, err.Error())
	}
	if !s.Closed {
		info.Damage = append(info.Damage, "the recording was not closed; what was not written yet is missing")
	}
	if c.JSON {
		err = writeJSON(e.out, info)
	} else {
		err = info.print(e)
	}
	if err == nil && !info.Whole {
		return errSilent
	}
	return err
}

func (i *recordingInfo) print(e *env) error {
	fmt.Fprintf(e.out, "%s: %s, from %s to %s\n", i.File, i.Last.Sub(i.First).Round(time.Millisecond), i.First.Format(time.RFC3339), i.Last.Format(time.RFC3339))
	fmt.Fprintf(e.out, "%d bytes, %d before compression, in %d frames of %d sessions\n", i.Bytes, i.Raw, i.Frames, i.Sessions)
	t := newTable("DEVICE", "NAME", "REPORTS", "BYTES", "GAPS", "LOST")
	for _, d := range i.Devices {
		t.add(d.EPR, d.Name, strconv.FormatUint(d.Reports, 10), strconv.FormatInt(d.Bytes, 10), strconv.FormatUint(d.Gaps, 10), strconv.FormatUint(d.Lost, 10))
	}
	if err := t.print(e.out); err != nil {
		return err
	}
	for _, d := range i.Damage {
		fmt.Fprintln(e.out, "DAMAGE:", d)
	}
	if i.Whole {
		fmt.Fprintln(e.out, "whole: every checksum is right, every report follows the one before it")
	}
	return nil
}

type recordingCompareCmd struct {
	A      string `arg:"" type:"existingfile" help:"A recording."`
	B      string `arg:"" type:"existingfile" help:"Another one."`
	Device string `placeholder:"EPR" help:"Device to compare. Default: the only one there is."`
}

func (c *recordingCompareCmd) Run(e *env) error {
	a, err := recording.Open(c.A)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }() // only read
	b, err := recording.Open(c.B)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // only read
	if err := recording.Compare(e.ctx, a, c.Device, b, c.Device); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, "identical")
	return err
}

// snapshotOf reads the MDIB that FILE, FILE@start, FILE@TIME or FILE@vVERSION means, where FILE is an MDIB or a recording; ok is false if source names no file. device
// chooses among the devices of a recording. A recording without a place means its end.
func snapshotOf(e *env, source, device string) (snap *mdib.Snapshot, ok bool, err error) {
	file, place := source, ""
	if i := strings.LastIndexByte(source, '@'); i > 0 && !exists(source) && exists(source[:i]) {
		file, place = source[:i], source[i+1:]
	}
	if !isFile(file) {
		return nil, false, nil
	}
	if !recording.IsRecording(file) {
		if place != "" {
			return nil, true, usagef("%s is no recording: only those have a time", file)
		}
		snap, err = mdib.ReadFile(file)
		return snap, true, err
	}
	rec, err := recording.Open(file)
	if err != nil {
		return nil, true, err
	}
	defer func() { _ = rec.Close() }() // only read
	warnOfDamage(e, file, rec)
	_, last := rec.Span()
	version, isVersion := strings.CutPrefix(place, "v")
	switch {
	case place == "":
		snap, err = rec.MDIBAt(device, last)
	case place == "start":
		snap, err = rec.First(device)
	case isVersion:
		n, parseErr := strconv.ParseUint(version, 10, 64)
		if parseErr != nil {
			return nil, true, usagef("%q is no MDIB version, such as v17", place)
		}
		snap, err = rec.MDIBVersion(device, n)
	default:
		at, parseErr := parseMoment(place, rec)
		if parseErr != nil {
			return nil, true, parseErr
		}
		snap, err = rec.MDIBAt(device, at)
	}
	if err != nil {
		return nil, true, fmt.Errorf("%s: %w", source, err)
	}
	return snap, true, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// recordedFlags choose a device of a recording.
type recordedFlags struct {
	Device string `placeholder:"EPR" help:"Which device of a recording. Default: the only one there is."`
}

// snapshot is the MDIB of a file, a recording or a device.
func (f *deviceFlags) snapshot(e *env, source string, recorded recordedFlags) (*mdib.Snapshot, error) {
	if snap, ok, err := snapshotOf(e, source, recorded.Device); ok {
		return snap, err
	}
	dev, closeAll, err := f.connect(e, source)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	return dev.MDIB(), nil
}
