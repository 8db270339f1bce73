package netns

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Impairment is what a [Wire] does to the frames of one direction. The zero value does nothing to them.
type Impairment struct {
	// Loss, Duplicate and Reorder are shares of the frames, from 0 to 1. A frame that is reordered comes
	// ReorderBy later than it would have, so that others overtake it.
	Loss, Duplicate, Reorder float64
	// ReorderBy is 0 for 10 ms.
	ReorderBy time.Duration
	// Delay is added to every frame, and up to Jitter more: frames may overtake one another.
	Delay, Jitter time.Duration
	// Cut loses everything.
	Cut bool
}

// WireStats counts the frames of one direction.
type WireStats struct {
	Passed, Lost, Duplicated, Reordered int
}

// Wire joins two hosts, as a segment does, by way of the test: every frame between them passes through this process, which loses,
// doubles, delays and reorders them as it is told. So the real TCP of the kernel sees a bad network.
type Wire struct {
	lab  *Lab
	seed uint64
	ends []*wireEnd
	wg   sync.WaitGroup
}

// wireEnd is the plug of one host: an interface whose frames a file holds.
type wireEnd struct {
	host *Host
	tap  *os.File
	out  *direction // of what the host sends
}

// maxFrames bounds the frames under way in one direction; further ones are lost, as in a full router.
const maxFrames = 4096

// direction is the way from one end to the other.
type direction struct {
	to *os.File

	mu    sync.Mutex
	rand  *rand.Rand
	imp   Impairment
	stats WireStats
	queue frames
	next  uint64
	wake  chan struct{} // one token: the first frame of the queue is another
}

// frame is one that is under way.
type frame struct {
	data []byte
	due  time.Time
	n    uint64 // keeps those due at the same time in order
}

type frames []frame

func (f frames) Len() int { return len(f) }
func (f frames) Less(i, j int) bool {
	return f[i].due.Before(f[j].due) || f[i].due.Equal(f[j].due) && f[i].n < f[j].n
}
func (f frames) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frames) Push(x any)   { *f = append(*f, x.(frame)) }
func (f *frames) Pop() any {
	last := len(*f) - 1
	x := (*f)[last]
	(*f)[last] = frame{}
	*f = (*f)[:last]
	return x
}

// Wire adds one. Its decisions follow from the seed, so that the same frames suffer the same; which frames there are is up to the kernel.
// It needs TAP devices, which are not everywhere where there are namespaces: without, the test is SKIPPED, NOT TESTED; with SDC_REQUIRE_TAP=1 it fails.
func (l *Lab) Wire(seed uint64) *Wire {
	l.t.Helper()
	return &Wire{lab: l, seed: seed}
}

// AttachWire joins the host to the wire by a new interface with the given addresses, in CIDR notation, which can be used at once. A wire has
// two ends, and carries frames once both are attached.
func (h *Host) AttachWire(w *Wire, ifname string, cidrs ...string) {
	h.lab.t.Helper()
	if len(w.ends) == 2 {
		h.lab.t.Fatalf("a wire has two ends")
	}
	var tap *os.File
	err := h.do(func() (err error) {
		tap, err = openTap(ifname)
		return err
	})
	if err != nil {
		missing(h.lab.t, "SDC_REQUIRE_TAP", "TAP devices", err)
	}
	w.ends = append(w.ends, &wireEnd{host: h, tap: tap})
	link := h.link(ifname)
	h.lab.check(h.handle.LinkSetIP6AddrGenMode(link, addrGenModeNone), "%s of %s", ifname, h.name)
	h.SetUp(ifname, true)
	for _, cidr := range cidrs {
		h.AddAddress(ifname, cidr)
	}
	if len(w.ends) == 2 {
		w.begin()
	}
}

// openTap makes an interface in the namespace of the thread.
func openTap(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open /dev/net/tun", err)
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = os.NewSyscallError("ioctl TUNSETIFF", unix.IoctlIfreq(fd, unix.TUNSETIFF, req))
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}

// begin carries frames until the end of the test.
func (w *Wire) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	for i, e := range w.ends {
		e.out = &direction{to: w.ends[1-i].tap, rand: rand.New(rand.NewPCG(w.seed, uint64(i))), wake: make(chan struct{}, 1)}
		w.wg.Go(func() { e.read() })
		w.wg.Go(func() { e.out.deliver(ctx) })
	}
	w.lab.t.Cleanup(func() {
		cancel()
		for _, e := range w.ends {
			_ = e.tap.Close()
		}
		w.wg.Wait()
	})
}

// read takes the frames that the host sends, until the interface is gone.
func (e *wireEnd) read() {
	b := make([]byte, 65536)
	for {
		n, err := e.tap.Read(b)
		if err != nil {
			return
		}
		e.out.take(b[:n])
	}
}

// take decides what becomes of a frame.
func (d *direction) take(b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Drawn for every frame, so that what happens to one does not depend on what is done to others.
	lost, twice, reordered, jitter := d.rand.Float64(), d.rand.Float64(), d.rand.Float64(), d.rand.Float64()
	if d.imp.Cut || lost < d.imp.Loss || len(d.queue) >= maxFrames {
		d.stats.Lost++
		return
	}
	due := time.Now().Add(d.imp.Delay + time.Duration(jitter*float64(d.imp.Jitter)))
	if reordered < d.imp.Reorder {
		d.stats.Reordered++
		by := d.imp.ReorderBy
		if by == 0 {
			by = 10 * time.Millisecond
		}
		due = due.Add(by)
	}
	data := append([]byte(nil), b...)
	copies := 1
	if twice < d.imp.Duplicate {
		d.stats.Duplicated++
		copies = 2
	}
	for range copies {
		d.next++
		heap.Push(&d.queue, frame{data: data, due: due, n: d.next})
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// deliver hands frames over when they are due.
func (d *direction) deliver(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		d.mu.Lock()
		if len(d.queue) > 0 {
			if wait = time.Until(d.queue[0].due); wait <= 0 {
				f := heap.Pop(&d.queue).(frame)
				d.stats.Passed++
				d.mu.Unlock()
				_, _ = d.to.Write(f.data) // a host that does not take it has lost it
				continue
			}
		}
		d.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-d.wake:
		case <-ctx.Done():
			return
		}
	}
}

// Impair decides about all frames that a host sends from now on. It may be called from any goroutine.
func (w *Wire) Impair(from *Host, imp Impairment) {
	d := w.from(from)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.imp = imp
}

// ImpairBoth is Impair for both directions.
func (w *Wire) ImpairBoth(imp Impairment) {
	for _, e := range w.ends {
		w.Impair(e.host, imp)
	}
}

// Stats counts the frames that a host has sent.
func (w *Wire) Stats(from *Host) WireStats {
	d := w.from(from)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

func (w *Wire) from(h *Host) *direction {
	for _, e := range w.ends {
		if e.host == h {
			return e.out
		}
	}
	panic("netns: host " + h.name + " is not on the wire")
}

// Dial connects from the host; addr is an IP address with a port. It may be called from any goroutine, and has the form of http.Transport.DialContext, so
// that a program of this process can be on the host with all its connections.
func (h *Host) Dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	err = h.do(func() (err error) {
		c, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return c, err
}

// Listen listens on the host. It may be called from any goroutine.
func (h *Host) Listen(ctx context.Context, network, addr string) (l net.Listener, err error) {
	err = h.do(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, network, addr)
		return err
	})
	return l, err
}
