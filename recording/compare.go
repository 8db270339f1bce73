package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib/msg"
)

// Difference is the first place where two recordings of a device tell something else.
type Difference struct {
	// EPR of the device.
	EPR string
	// What is compared: "mdib", "report" or "invocation".
	What string
	// Index counts what was the same before, within What.
	Index int
	// A and B are the XML; nil where the recording has no more.
	A, B []byte
}

func (d *Difference) Error() string {
	return fmt.Sprintf("%s: %s %d differs: %s / %s", d.EPR, d.What, d.Index, excerpt(d.A, d.B), excerpt(d.B, d.A))
}

// excerpt is the part of a where it begins to differ from b.
func excerpt(a, b []byte) string {
	if a == nil {
		return "(none)"
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from, to := max(0, i-60), min(len(a), i+60)
	return fmt.Sprintf("byte %d: %q", i, a[from:to])
}

// Compare tells whether two recordings of a device are identical: the first MDIB, and after it every report and every MDIB that follows a gap, in their order and byte for byte in the
// canonical encoding of the stack. That covers states, versions, determination times and extensions. OperationInvokedReports are compared in an order of their own, because
// they come by another subscription. Not compared are what belongs to the recording rather than to the device: arrival times, changes of the link, causes of gaps, repeated MDIBs, transport addresses, sessions.
// A nil error means that they are identical; a *Difference says where they are not.
func Compare(ctx context.Context, a *Reader, deviceA string, b *Reader, deviceB string) error {
	if a == nil || b == nil {
		return errors.New("recording: there are no two recordings to compare")
	}
	left, err := a.story(ctx, deviceA)
	if err != nil {
		return err
	}
	right, err := b.story(ctx, deviceB)
	if err != nil {
		return err
	}
	if d := firstDifference("mdib and reports", left.main, right.main); d != nil {
		d.EPR = left.epr
		return d
	}
	if d := firstDifference("invocation", left.invocations, right.invocations); d != nil {
		d.EPR = left.epr
		return d
	}
	return nil
}

// story is what a device did.
type story struct {
	epr               string
	main, invocations [][]byte
}

func (r *Reader) story(ctx context.Context, device string) (*story, error) {
	d, err := r.Device(device)
	if err != nil {
		return nil, err
	}
	s := &story{epr: d.EPR}
	invoked := []byte("<msg:" + (&msg.OperationInvokedReport{}).BodyName().Local)
	for e, err := range r.Entries() {
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case e.Device == nil && e.Kind == KindGap:
			var g Gap
			if err := e.Decode(&g); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%w recordings cannot be compared: %s", ErrDamaged, g.Cause)
		case e.Device == nil || e.Device.ID != d.ID:
		case e.Kind == KindReport && bytes.HasPrefix(e.Body, invoked):
			s.invocations = append(s.invocations, slices.Clone(e.Body))
		case e.Kind == KindReport, e.Kind == KindMDIB && e.Reason != ReasonKey:
			s.main = append(s.main, slices.Clone(e.Body))
		}
	}
	return s, nil
}

func firstDifference(what string, a, b [][]byte) *Difference {
	for i := range max(len(a), len(b)) {
		d := &Difference{What: what, Index: i}
		if i < len(a) {
			d.A = a[i]
		}
		if i < len(b) {
			d.B = b[i]
		}
		if !bytes.Equal(d.A, d.B) {
			return d
		}
	}
	return nil
}
