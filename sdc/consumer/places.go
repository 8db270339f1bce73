package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// places are the addresses of one service, the one to try first in front. A list is never changed: another one takes its place.
type places []soap.EndpointReference

// key tells services apart that are not at the same addresses.
func (p places) key() string {
	var b strings.Builder
	for _, e := range p {
		b.WriteString(e.Address)
		b.WriteByte(' ') // not in a URI
	}
	return b.String()
}

// reaching is what has become of an attempt to reach one address.
const (
	underWay int32 = iota
	reached        // something may have been sent
	givenUp
)

// at makes a request to a service at its addresses, one after the other until one is reached. What may have been sent is not sent again: an
// operation would be done twice. So the error of the address that was reached is the answer, and if none was, those of all. Together they take no longer
// than RequestTimeout, of which each address that is still to be tried gets the same share to be reached in.
func (d *Device) at(ctx context.Context, service places, request func(ctx context.Context, to soap.EndpointReference) error) error {
	c := d.consumer
	if len(service) == 1 {
		return c.unlessBusy(ctx, func(ctx context.Context) error { return request(ctx, service[0]) })
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	end, _ := ctx.Deadline()
	var errs []error
	for i, to := range service {
		left := len(service) - i
		wasReached, err := tryAt(ctx, to, left > 1, time.Until(end)/time.Duration(left), func(ctx context.Context, to soap.EndpointReference) error {
			return c.unlessBusy(ctx, func(ctx context.Context) error { return request(ctx, to) })
		})
		if wasReached {
			d.prefer(to.Address, service[:i])
			return err
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
		d.log.Debug("a service is not reached at one of its addresses", "address", to.Address, "error", err)
	}
	return errors.Join(errs...)
}

// tryAt makes a request to one address. If it is limited, it is given up when the address has not been reached in the time given.
func tryAt(
	ctx context.Context, to soap.EndpointReference, limited bool, share time.Duration, request func(context.Context, soap.EndpointReference) error,
) (wasReached bool, err error) {
	var state atomic.Int32
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx = soap.WithContact(ctx, func(soap.Contact) { state.Store(reached) })
	if limited {
		limit := time.AfterFunc(share, func() {
			if state.CompareAndSwap(underWay, givenUp) {
				cancel(fmt.Errorf("%s was not reached within %s", to.Address, share))
			}
		})
		defer limit.Stop()
	}
	err = request(ctx, to)
	return err == nil || state.Load() == reached, err
}

// prefer makes the addresses that could not be reached the last ones of every service, now that another one could. Those of the same host and port are
// reached, or not, together.
func (d *Device) prefer(reached string, not places) {
	if len(not) == 0 {
		return
	}
	gone := make(map[string]bool, len(not))
	for _, e := range not {
		if hp, ok := hostPort(e.Address); ok {
			gone[hp] = true
		}
	}
	if hp, ok := hostPort(reached); ok {
		delete(gone, hp)
	}
	rank := func(e soap.EndpointReference) int {
		if hp, ok := hostPort(e.Address); ok && gone[hp] {
			return 1
		}
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	services := make(map[string]places, len(d.services))
	for name, service := range d.services {
		service = slices.Clone(service)
		slices.SortStableFunc(service, func(a, b soap.EndpointReference) int { return rank(a) - rank(b) })
		services[name] = service
	}
	d.services = services
}

// minBusy is how long a device that is busy is left alone at least.
const minBusy = 250 * time.Millisecond

// unlessBusy makes a request, and makes it again when the device has turned it down for now (SDPi R0202): then nothing has been done. That is so with 429, and with 503 if it says when to come
// again; any other may be told of a device that failed at doing it, and an operation is not to be done twice. It gives up when the next attempt would begin later than RequestTimeout, or than ctx allows; the error is the last refusal.
func (c *Consumer) unlessBusy(ctx context.Context, request func(context.Context) error) error {
	giveUp := time.Now().Add(c.cfg.RequestTimeout)
	if end, ok := ctx.Deadline(); ok && end.Before(giveUp) {
		giveUp = end
	}
	attempt, cancel := ctx, context.CancelFunc(func() {})
	for {
		err := request(attempt)
		cancel()
		var status *soap.HTTPError
		if !errors.As(err, &status) || !status.Busy() || status.Status != http.StatusTooManyRequests && status.RetryAfter == 0 {
			return err
		}
		// Jitter keeps those that were turned down together from coming back together.
		pause := max(status.RetryAfter, minBusy)
		pause += rand.N(pause / 4)
		if time.Now().Add(pause).After(giveUp) || !pauseWithin(ctx, pause) {
			return err
		}
		attempt, cancel = context.WithDeadline(ctx, giveUp)
	}
}
