package attack

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// Addresses of a scene.
const (
	liarIP, neighbourIP, consumerIP, thirdIP = "192.0.2.1", "192.0.2.3", "192.0.2.2", "192.0.2.9"

	liarEPR, neighbourEPR = "urn:uuid:6a1d7a6e-3a0e-4f0b-8f3e-0b5a63c5a001", "urn:uuid:6a1d7a6e-3a0e-4f0b-8f3e-0b5a63c5a002"
)

// device runs a good device on a host of an in-memory network; stop ends it and waits.
func device(t testing.TB, host *memnet.Host, epr string, change func(*provider.Config)) (dev *provider.Provider, stop func()) {
	t.Helper()
	snap, err := mdib.ReadFile("../../../sdc/provider/testdata/device.xml")
	require.NoError(t, err)
	cfg := provider.Config{
		EPR: epr, MDIB: snap, Insecure: true, Transport: discovery.NewSilence(), Dial: host.Dial, Listen: host.ListenAny, StopTimeout: time.Second, ApplyProposals: true,
	}
	if change != nil {
		change(&cfg)
	}
	dev, err = provider.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	<-dev.Ready()
	return dev, func() {
		cancel()
		_ = <-ended // whether it could take its leave depends on what was done to it
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { time.Sleep(d) }

func commit(t testing.TB, dev *provider.Provider, n int64) {
	t.Helper()
	require.NoError(t, dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(counter, pm.NewDecimal(n, 0), time.Now()) }))
}

// liar is a device that is good at heart, with something before it that changes what it says and hears.
type liar struct {
	host  *memnet.Host
	dev   *provider.Provider
	inner string // the scheme, host and port of the device
	outer string // those that consumers know
	stops []func()

	ahead *http.Transport // to the device and to consumers

	mu       sync.Mutex
	request  func(x *exchange) bool                 // sees requests first; true when it has answered
	answer   func(action string, doc []byte) []byte // changes answers
	report   func(action string, doc []byte) []byte // changes notifications; nil swallows one
	question func(action string, doc []byte) []byte // changes requests
	reply    func(action string, doc []byte) []byte // changes the answers to notifications
	sinks    []string                               // where notifications go, as consumers asked for
	heard    map[string]int                         // requests by action
}

// exchange is one request to the liar.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	action string
	doc    []byte
}

// raw answers with bytes, to be followed by whatever more does, until the consumer has closed the connection.
func (x *exchange) raw(text string, more func(c net.Conn)) bool {
	c, _, err := x.w.(http.Hijacker).Hijack() //nolint:errcheck,forcetypeassert // HTTP/1.1 can
	if err != nil {
		return true
	}
	defer c.Close()
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = io.Copy(io.Discard, c)
	}()
	if _, err := io.WriteString(c, text); err == nil && more != nil {
		more(c)
	}
	<-left
	return true
}

// document answers with a SOAP body of any size.
func (x *exchange) document(doc []byte) bool {
	x.w.Header().Set("Content-Type", soap.ContentType)
	_, _ = x.w.Write(doc)
	return true
}

func startLiar(t testing.TB, network *memnet.Network, change func(*provider.Config)) *liar {
	t.Helper()
	l := &liar{host: network.Host(liarIP), heard: map[string]int{}}
	l.ahead = &http.Transport{DialContext: l.host.Dial, DisableCompression: true}
	out, err := l.host.Listen(81)
	require.NoError(t, err)
	in, err := l.host.Listen(80)
	require.NoError(t, err)
	dev, stop := device(t, l.host, liarEPR, func(c *provider.Config) {
		c.NotifyAnywhere = true // it sees the liar as its consumer
		c.Dial = func(ctx context.Context, n, _ string) (net.Conn, error) {
			if change != nil {
				change(c)
			}
			return l.host.Dial(ctx, n, out.Addr().String())
		}
	})
	l.dev = dev
	l.inner, _, _ = strings.Cut(strings.TrimPrefix(dev.XAddrs()[0], "http://"), "/")
	l.inner, l.outer = "http://"+l.inner, "http://"+in.Addr().String()
	for listener, handler := range map[net.Listener]http.HandlerFunc{in: l.serve, out: l.notify} {
		server := &http.Server{Handler: handler} //nolint:gosec // the peers are those of the test
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(listener)
		}()
		l.stops = append(l.stops, func() {
			_ = server.Close()
			<-served
		})
	}
	l.stops = append(l.stops, stop, l.ahead.CloseIdleConnections)
	return l
}

func (l *liar) stop() {
	l.honest()
	for _, stop := range slices.Backward(l.stops) {
		stop()
	}
	l.ahead.CloseIdleConnections()
}

// lie sets what is done from now on.
func (l *liar) lie(set func(l *liar)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request, l.answer, l.report, l.question, l.reply = nil, nil, nil, nil, nil
	if set != nil {
		set(l)
	}
}

// honest ends all lies.
func (l *liar) honest() { l.lie(nil) }

func (l *liar) endpoint() discovery.Endpoint {
	_, path, _ := strings.Cut(strings.TrimPrefix(l.dev.XAddrs()[0], "http://"), "/")
	return discovery.Endpoint{EPR: liarEPR, XAddrs: []string{l.outer + "/" + path}}
}

func actionOf(doc []byte) string {
	env, err := soap.Parse(doc, xmlscan.Limits{})
	if err != nil {
		return ""
	}
	return env.Header.Action[strings.LastIndexByte(env.Header.Action, '/')+1:]
}

var notifyTo = regexp.MustCompile(`NotifyTo><wsa:Address>([^<]*)<`)

// serve takes what consumers ask.
func (l *liar) serve(w http.ResponseWriter, r *http.Request) {
	doc, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	x := &exchange{w, r, actionOf(doc), doc}
	l.mu.Lock()
	lie, answer, question := l.request, l.answer, l.question
	l.heard[x.action]++
	if m := notifyTo.FindSubmatch(doc); m != nil {
		l.sinks = append(l.sinks, string(m[1]))
	}
	l.mu.Unlock()
	if lie != nil && lie(x) {
		return
	}
	if question != nil {
		doc = question(x.action, doc)
	}
	status, header, got := l.pass(r, l.inner+r.URL.RequestURI(), doc)
	got = bytes.ReplaceAll(got, []byte(l.inner), []byte(l.outer))
	if answer != nil {
		got = answer(x.action, got)
	}
	w.Header().Set("Content-Type", header.Get("Content-Type"))
	w.WriteHeader(status)
	_, _ = w.Write(got)
}

// notify takes what the device reports.
func (l *liar) notify(w http.ResponseWriter, r *http.Request) {
	doc, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	l.mu.Lock()
	change, reply := l.report, l.reply
	l.mu.Unlock()
	action := actionOf(doc)
	if change != nil {
		if doc = change(action, doc); doc == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
	}
	status, header, got := l.pass(r, "http://"+r.Host+r.URL.RequestURI(), doc)
	if reply != nil {
		got = reply(action, got)
	}
	w.Header().Set("Content-Type", header.Get("Content-Type"))
	w.WriteHeader(status)
	_, _ = w.Write(got)
}

// pass hands a message on.
func (l *liar) pass(r *http.Request, url string, doc []byte) (int, http.Header, []byte) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, url, bytes.NewReader(doc))
	if err != nil {
		return http.StatusBadRequest, http.Header{}, nil
	}
	req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := l.ahead.RoundTrip(req)
	if err != nil {
		return http.StatusBadGateway, http.Header{}, nil
	}
	defer resp.Body.Close()
	got, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, got
}

// post sends something to a consumer in the name of the device, and returns the status of the answer.
func (l *liar) post(ctx context.Context, url string, doc []byte, header ...string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(doc))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", soap.ContentType)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := l.ahead.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// subscribed lists where notifications go.
func (l *liar) subscribed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sinks)
}

func (l *liar) asked(action string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard[action]
}

// scene is a consumer with two devices: one that lies, and a good one, of which nothing may be lost.
type scene struct {
	t        *testing.T
	net      *memnet.Network
	consumer *consumer.Consumer
	liar     *liar
	third    *memnet.Listener // at whom nobody may knock

	neighbour *provider.Provider
	mirror    *consumer.Device // of the neighbour
	values    int64
}

// maxHeap bounds what the consumer and everything around it may hold while it is lied to, in bytes, garbage that has not been collected included.
const maxHeap = 400 << 20

// watchHeap looks at the heap, in real time, until it is asked how much it has grown at most.
func watchHeap() (peak func() uint64) {
	size := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before, most := size(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, size())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return max(most, before) - before
	}
}

// inScene sets a scene in virtual time. Afterwards the good device has lost nothing, and nothing is left behind.
func inScene(t *testing.T, test func(s *scene)) {
	peak := watchHeap()
	defer func() { require.Less(t, peak(), uint64(maxHeap), "memory") }()
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{StreamBuffer: 256 << 10})
		defer network.Close()
		s := &scene{t: t, net: network}
		var stop func()
		s.neighbour, stop = device(t, network.Host(neighbourIP), neighbourEPR, nil)
		defer stop()
		s.liar = startLiar(t, network, nil)
		defer s.liar.stop()
		var err error
		s.third, err = network.Host(thirdIP).Listen(80)
		require.NoError(t, err)
		here := network.Host(consumerIP)
		s.consumer, err = consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: here.Dial, Listen: here.ListenAny,
			LostAfter: 2 * time.Minute,
		})
		require.NoError(t, err)
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_ = s.consumer.Close(ctx) // the liar may refuse to part
		}()
		s.mirror, err = s.consumer.Connect(t.Context(), discovery.Endpoint{EPR: neighbourEPR, XAddrs: s.neighbour.XAddrs()})
		require.NoError(t, err)
		f := follow(s.mirror)
		defer f.stop()

		commit(t, s.liar.dev, 0)
		test(s)
		s.liar.honest()
		s.neighbourly()
		require.Empty(t, f.trouble(), "the other device was disturbed")
		require.Zero(t, s.third.Stats().Accepted, "a third party was talked to")
	})
}

// neighbourly checks that the good device is followed.
func (s *scene) neighbourly() {
	s.t.Helper()
	s.values++
	commit(s.t, s.neighbour, s.values)
	time.Sleep(time.Second)
	require.Equal(s.t, consumer.Live, s.mirror.Link().State)
	require.Equal(s.t, s.neighbour.MDIB().Version(), s.mirror.MDIB().Version())
}

// follower notes what befell a link.
type follower struct {
	stop func()

	mu     sync.Mutex
	causes []error // of not being live, and of gaps
}

func follow(d *consumer.Device) *follower {
	f := new(follower)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for u, err := range d.Updates(ctx) {
			if err != nil {
				return
			}
			f.mu.Lock()
			if u.Gap != nil {
				f.causes = append(f.causes, u.Gap.Cause)
			}
			if u.Link.State != consumer.Live {
				f.causes = append(f.causes, u.Link.Cause)
			}
			f.mu.Unlock()
		}
	}()
	f.stop = func() {
		cancel()
		<-done
	}
	synctest.Wait() // it follows now
	return f
}

func (f *follower) trouble() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.causes)
}

// hold connects the liar to the place for notifications many times, says something on each connection, and holds them until the scene is over.
func (s *scene) hold(n int, text string) {
	s.t.Helper()
	_, err := s.connect()
	require.NoError(s.t, err)
	u, err := url.Parse(s.liar.subscribed()[0])
	require.NoError(s.t, err)
	path := strings.Replace(text, "POST / ", "POST "+u.Path+" ", 1)
	for range n {
		c, err := s.liar.host.Dial(s.t.Context(), "tcp", u.Host)
		require.NoError(s.t, err)
		s.liar.stops = append(s.liar.stops, func() { _ = c.Close() })
		_, _ = io.WriteString(c, path) // it may have been turned away
		synctest.Wait()
	}
}

// connect connects to the liar, in bounded time.
func (s *scene) connect() (*consumer.Device, error) {
	s.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer cancel()
	d, err := s.consumer.Connect(ctx, s.liar.endpoint())
	require.Less(s.t, time.Since(began), 2*time.Minute, "it takes too long to give up")
	return d, err
}

// settled waits until the mirror of the liar is live and what the device has.
func (s *scene) settled(d *consumer.Device) {
	s.t.Helper()
	for range 60 {
		time.Sleep(time.Second)
		if d.Link().State == consumer.Live && d.MDIB().Version() == s.liar.dev.MDIB().Version() {
			require.True(s.t, s.liar.dev.MDIB().ContentEqual(d.MDIB()))
			return
		}
	}
	require.Fail(s.t, "the link does not heal", "%v", d.Link())
}

// envelopeOf is a message in the name of the device.
func envelopeOf(action string, body soap.Body) []byte {
	return soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint(soap.Anonymous), action), body)
}

// transport is discovery at a host of the scene.
func (s *scene) transport(ip string) *discovery.PacketTransport {
	s.t.Helper()
	host := s.net.Host(ip)
	receive, err := host.ListenPacket(discovery.DefaultPort)
	require.NoError(s.t, err)
	require.NoError(s.t, receive.JoinGroup(discovery.GroupIPv4()))
	send, err := host.ListenPacket(0)
	require.NoError(s.t, err)
	return discovery.NewPacketTransport(receive, send, netip.AddrPortFrom(discovery.GroupIPv4(), discovery.DefaultPort))
}

// seeker is a discovery client at the consumer's host.
type seeker struct {
	*discovery.Client
	close func()
	wg    sync.WaitGroup
}

func (s *scene) discovery() *seeker {
	s.t.Helper()
	transport := s.transport(consumerIP)
	client, err := discovery.NewClient(discovery.ClientConfig{Transport: transport})
	require.NoError(s.t, err)
	k := &seeker{Client: client}
	k.close = func() {
		require.NoError(s.t, client.Close())
		k.wg.Wait()
		require.NoError(s.t, transport.Close())
	}
	return k
}

// watch follows all devices; what it returns tells those known.
func (k *seeker) watch() func() map[string]discovery.Endpoint {
	var mu sync.Mutex
	known := map[string]discovery.Endpoint{}
	k.wg.Go(func() {
		for e := range k.Watch(context.Background(), discovery.Filter{}) {
			mu.Lock()
			if known[e.Endpoint.EPR] = e.Endpoint; e.Kind == discovery.Gone {
				delete(known, e.Endpoint.EPR)
			}
			mu.Unlock()
		}
	})
	synctest.Wait()
	return func() map[string]discovery.Endpoint {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(known)
	}
}

// joined is a consumer with discovery.
type joined struct {
	*consumer.Consumer
	stop func()
}

func (s *scene) join(k *seeker) *joined {
	s.t.Helper()
	here := s.net.Host(consumerIP)
	c, err := consumer.New(s.t.Context(), consumer.Config{
		Insecure: true, Dial: here.Dial, Listen: here.ListenAny,
		Locators: []consumer.Locator{k.Client},
	})
	require.NoError(s.t, err)
	return &joined{c, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(s.t, c.Close(ctx))
	}}
}
