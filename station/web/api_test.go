package web_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/station/web"
)

func body[T any](t *testing.T, resp reply) T {
	t.Helper()
	var v T
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
	return v
}

type system struct {
	Handle  string
	Patient struct{ Association, Text string }
	Values  []struct{ Handle, Code, Unit, Role string }
	Waves   []struct {
		Handle, Code string
		Period       float64
	}
	Operations []struct {
		Handle, Kind string
		Enabled      bool
		Ranges       []string
	}
}

type document struct {
	Type    string
	Title   string
	Control bool
	Version uint64
	Time    int64
	Devices []struct {
		EPR     string
		Link    struct{ State string }
		Systems []system
	}
	Patients []struct {
		Name    string
		Systems [][2]string
	}
	Places []struct{ Text string }
	Values []struct {
		Device, Handle, Number, Status string
		Determined                     int64
	}
	Blocks []struct {
		Device, Handle string
		Start          int64
		Period         float64
		Samples        []*float64
		Gap            bool
	}
}

func TestDocuments(t *testing.T) {
	s := newScene(t, nil)
	vent, mon := s.bed(physio.Stable)
	s.live(2)

	resp := s.get("api/v1/view", nil)
	require.Equal(t, 200, resp.StatusCode)
	doc := body[document](t, resp)
	require.Equal(t, "OR 3", doc.Title)
	require.False(t, doc.Control)
	require.Len(t, doc.Devices, 2)
	require.Len(t, doc.Patients, 1, "both devices tell of the same patient")
	require.Len(t, doc.Patients[0].Systems, 2)
	require.Len(t, doc.Places, 1)
	require.NotEmpty(t, doc.Values)
	for _, d := range doc.Devices {
		require.Equal(t, "live", d.Link.State)
	}

	resp = s.get("api/v1/tree?device="+vent.epr, nil)
	require.Equal(t, 200, resp.StatusCode)
	tree := body[struct {
		Entries []struct{ Handle, Parent, Kind string }
	}](t, resp)
	require.Equal(t, "Mds", tree.Entries[0].Kind)
	seen := map[string]bool{"": true}
	for _, e := range tree.Entries {
		require.True(t, seen[e.Parent], "%s comes before its parent", e.Handle)
		seen[e.Handle] = true
	}

	require.Equal(t, 404, s.get("api/v1/tree?device=urn:uuid:nobody", nil).StatusCode)
	require.Equal(t, 404, s.get("api/v1/trend?patient=nobody&device="+mon.epr, nil).StatusCode)
	require.Equal(t, 400, s.get("api/v1/trend?since=yesterday&device="+mon.epr, nil).StatusCode)
	require.Equal(t, 200, s.get("api/v1/trend?device="+mon.epr+"&handle=nothing", nil).StatusCode)
	require.Equal(t, 404, s.get("../../../etc/passwd", nil).StatusCode)
	require.Equal(t, 405, s.do(http.MethodPost, "api/v1/view", nil, nil).StatusCode)
	// A view to read only has no way to act.
	require.Equal(t, 405, s.do(http.MethodPost, "api/v1/operations", nil, strings.NewReader("{}")).StatusCode)
}

func TestPagesAreSafe(t *testing.T) {
	s := newScene(t, func(c *web.Config) { c.Hosts = []string{"or3.hospital.example"} })
	for name, tt := range map[string]struct {
		header http.Header
		status int
	}{
		"a name of ours":         {http.Header{"Host": {"or3.hospital.example:8080"}}, 200},
		"an address":             {nil, 200},
		"a name pointed here":    {http.Header{"Host": {"attacker.example"}}, 421},
		"another origin":         {http.Header{"Origin": {"https://attacker.example"}}, 403},
		"no origin":              {http.Header{"Origin": {"null"}}, 403},
		"another site":           {http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"another port":           {http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"from the address field": {http.Header{"Sec-Fetch-Site": {"none"}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"", "api/v1/view"} {
				resp := s.get(path, tt.header)
				require.Equal(t, tt.status, resp.StatusCode, path)
				require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
				require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
				require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			}
		})
	}
}

// Patient data does not leave the machine unencrypted.
func TestPlainBeyondLoopbackIsRefused(t *testing.T) {
	s := newScene(t, nil)
	h, err := web.New(web.Config{Station: s.station})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	require.ErrorIs(t, web.Serve(t.Context(), l, h, nil), web.ErrPlain)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestConfigErrors(t *testing.T) {
	_, err := web.New(web.Config{Control: &web.Control{}, MaxClients: -1})
	require.ErrorContains(t, err, "Station is missing")
	require.ErrorContains(t, err, "Audit is missing")
	require.ErrorContains(t, err, "negative")
}

// follower is a program that follows the station.
type follower struct {
	t    *testing.T
	conn *websocket.Conn
}

func (s *scene) follow() *follower {
	s.t.Helper()
	conn, resp, err := websocket.Dial(s.t.Context(), s.url+"api/v1/live", nil)
	require.NoError(s.t, err)
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	conn.SetReadLimit(16 << 20)
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	return &follower{s.t, conn}
}

// next returns the next message of a type.
func (f *follower) next(kind string) document {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	for {
		_, data, err := f.conn.Read(ctx)
		require.NoError(f.t, err)
		var d document
		require.NoError(f.t, json.Unmarshal(data, &d))
		if d.Type == kind {
			return d
		}
	}
}

func (f *follower) want(text string) {
	f.t.Helper()
	require.NoError(f.t, f.conn.Write(f.t.Context(), websocket.MessageText, []byte(text)))
}

func TestLive(t *testing.T) {
	s := newScene(t, nil)
	vent, mon := s.bed(physio.Stable)
	s.live(2)
	f := s.follow()
	first := f.next("structure")
	require.Len(t, first.Devices, 2)
	all := f.next("values")
	require.NotEmpty(t, all.Values)
	further := f.next("values")
	require.Less(t, len(further.Values), len(all.Values), "only what has changed is sent")

	var wave string
	for _, d := range first.Devices {
		if d.EPR == mon.epr {
			wave = d.Systems[0].Waves[0].Handle
		}
	}
	ask, err := json.Marshal(map[string]any{"type": "want", "rate": 50, "waves": []any{map[string]string{"device": mon.epr, "handle": wave}}})
	require.NoError(t, err)
	f.want(string(ask))
	samples, end := 0, float64(0)
	for samples < 100 {
		m := f.next("waves")
		for _, b := range m.Blocks {
			require.Equal(t, wave, b.Handle)
			require.GreaterOrEqual(t, b.Period, 1000.0/50/2, "decimated")
			samples += len(b.Samples)
			if end > 0 && !b.Gap {
				require.InDelta(t, end, float64(b.Start), 300, "blocks follow one another, but for the estimate of the clock")
			}
			require.InDelta(t, 100, b.Period*float64(len(b.Samples)), 1, "as long as what the monitor sends")
			end = float64(b.Start) + b.Period*float64(len(b.Samples))
		}
	}

	// A device that is killed is shown so.
	vent.stop()
	for {
		m := f.next("structure")
		state := ""
		for _, d := range m.Devices {
			if d.EPR == vent.epr {
				state = d.Link.State
			}
		}
		if state != "live" {
			break
		}
	}
	for {
		stale := 0
		m := f.next("values")
		for _, v := range m.Values {
			if v.Device == vent.epr {
				require.NotEqual(t, "current", v.Status)
				stale++
			}
		}
		if stale > 0 {
			break
		}
	}
}

func TestLiveIsBounded(t *testing.T) {
	s := newScene(t, func(c *web.Config) { c.MaxClients = 1 })
	f := s.follow()
	f.next("structure")
	require.Equal(t, http.StatusServiceUnavailable, s.refusedToFollow(nil))

	// What is not understood ends the connection, and makes room.
	f.want(`{"type":"shutdown"}`)
	var err error
	for err == nil {
		_, _, err = f.conn.Read(t.Context())
	}
	require.Equal(t, websocket.StatusPolicyViolation, websocket.CloseStatus(err))
	require.Eventually(t, func() bool {
		conn, resp, err := websocket.Dial(t.Context(), s.url+"api/v1/live", nil)
		if err != nil {
			return false
		}
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		return conn.CloseNow() == nil
	}, time.Minute, 10*time.Millisecond)

	require.Equal(t, http.StatusForbidden, s.refusedToFollow(http.Header{"Origin": {"https://attacker.example"}}))
}

// refusedToFollow tries to follow and returns the status of the refusal.
func (s *scene) refusedToFollow(header http.Header) int {
	s.t.Helper()
	_, resp, err := websocket.Dial(s.t.Context(), s.url+"api/v1/live", &websocket.DialOptions{HTTPHeader: header})
	require.Error(s.t, err)
	if resp.Body != nil {
		defer resp.Body.Close()
	}
	return resp.StatusCode
}
