package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/export"
)

type exportCmd struct {
	File        string   `arg:"" type:"existingfile" help:"A recording."`
	CSV         bool     `name:"csv" required:"" xor:"format" help:"Comma-separated values."`
	Parquet     bool     `required:"" xor:"format" help:"An Apache Parquet file; needs --output."`
	Output      string   `short:"o" placeholder:"FILE" help:"Where to; never overwrites. Default: standard output."`
	Device      []string `placeholder:"EPR" help:"Devices: EPR or unique prefix of one. Default: all."`
	Handle      []string `placeholder:"HANDLE" help:"Only these states and descriptors."`
	From        string   `placeholder:"TIME" help:"Beginning: from the start of the recording (90s), or a time (2006-01-02T15:04:05Z)."`
	To          string   `placeholder:"TIME" help:"End, in the same forms."`
	NoWaveforms bool     `help:"Leave waveforms out."`
}

func (c *exportCmd) Run(e *env) error {
	if c.Parquet && c.Output == "" {
		// It is not for reading on a screen, and half of it in a pipe is worth nothing.
		return usagef("--parquet needs --output")
	}
	rec, err := recording.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = rec.Close() }() // only read
	warnOfDamage(e, c.File, rec)
	o := export.Options{Devices: c.Device, Handles: c.Handle, NoWaveforms: c.NoWaveforms}
	if c.From != "" {
		if o.From, err = parseMoment(c.From, rec); err != nil {
			return err
		}
	}
	if c.To != "" {
		if o.To, err = parseMoment(c.To, rec); err != nil {
			return err
		}
	}
	if c.Output == "" {
		_, err = c.write(e.out, rec, o)
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := c.write(f, rec, o)
	if err = errors.Join(err, f.Close()); err != nil {
		// Half a table could be taken for a whole one.
		return errors.Join(err, os.Remove(c.Output))
	}
	_, err = fmt.Fprintf(e.err, "%d rows\n", n)
	return err
}

func (c *exportCmd) write(w io.Writer, rec *recording.Reader, o export.Options) (uint64, error) {
	rows := export.Rows(rec, o)
	if c.Parquet {
		return export.Parquet(w, rows)
	}
	return export.CSV(w, rows)
}
