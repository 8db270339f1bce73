package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

type controlled struct {
	Token, By, State, Error string
}

func (s *scene) post(path, token string, v any) (int, controlled) {
	s.t.Helper()
	text, err := json.Marshal(v)
	require.NoError(s.t, err)
	resp := s.do(http.MethodPost, path, http.Header{"X-Sdc-Control": {token}}, strings.NewReader(string(text)))
	return resp.StatusCode, body[controlled](s.t, resp)
}

type m = map[string]any

func TestControl(t *testing.T) {
	var s *scene
	s = newScene(t, func(c *web.Config) { c.Control = &web.Control{Audit: func(e web.Event) error { return s.audit(e) }} })
	vent, mon := s.bed(physio.Stable)
	v := s.live(2)
	set := peep(t, v, vent.epr)
	require.NotEmpty(t, set.Ranges)
	order := func(value, confirmed string) m {
		return m{"device": vent.epr, "operation": set.Handle, "value": value, "confirmed": confirmed}
	}

	status, got := s.post("api/v1/operations", "", order("8", set.Handle))
	require.Equal(t, 403, status, got.Error)

	status, got = s.post("api/v1/control", "", m{"action": "take", "name": "  "})
	require.Equal(t, 400, status, got.Error)
	status, got = s.post("api/v1/control", "", m{"action": "seize", "name": "a"})
	require.Equal(t, 400, status, got.Error)
	status, got = s.post("api/v1/control", "", m{"action": "take", "name": "Dr. Demo", "force": true})
	require.Equal(t, 400, status, got.Error)

	status, got = s.post("api/v1/control", "", m{"action": "take", "name": "Dr. Demo"})
	require.Equal(t, 200, status, got.Error)
	token := got.Token
	require.NotEmpty(t, token)
	status, got = s.post("api/v1/control", "", m{"action": "take", "name": "Somebody"})
	require.Equal(t, 409, status)
	require.Contains(t, got.Error, "Dr. Demo")

	before := value(t, s.station.View(), set)
	for name, bad := range map[string]m{
		"not confirmed":     order("8", ""),
		"confirmed another": order("8", "something.else"),
		"no number":         order("eight", set.Handle),
		"out of range":      order("999", set.Handle),
		"unknown device":    {"device": "urn:uuid:nobody", "operation": set.Handle, "value": "8", "confirmed": set.Handle},
		"limits":            {"device": mon.epr, "operation": "op.limits." + monitor.AlarmHR, "confirmed": "op.limits." + monitor.AlarmHR},
		"nothing to ack":    {"device": mon.epr, "operation": "op.acknowledge." + monitor.AlarmHR, "confirmed": "op.acknowledge." + monitor.AlarmHR},
		"unknown operation": {"device": vent.epr, "operation": "nothing", "value": "8", "confirmed": "nothing"},
	} {
		status, got = s.post("api/v1/operations", token, bad)
		require.Equal(t, 422, status, name)
		require.NotEmpty(t, got.Error, name)
	}
	require.Equal(t, before, value(t, s.station.View(), set))

	status, got = s.post("api/v1/operations", token, order("8", set.Handle))
	require.Equal(t, 200, status)
	require.Equal(t, "Fin", got.State, got.Error)
	s.await("the new PEEP", func(v *station.View) bool { return value(t, v, set) == 8 })

	status, _ = s.post("api/v1/control", token, m{"action": "keep"})
	require.Equal(t, 200, status)
	status, _ = s.post("api/v1/control", "guess", m{"action": "give"})
	require.Equal(t, 409, status)
	status, _ = s.post("api/v1/control", token, m{"action": "give"})
	require.Equal(t, 200, status)
	status, _ = s.post("api/v1/operations", token, order("9", set.Handle))
	require.Equal(t, 403, status)

	s.mu.Lock()
	defer s.mu.Unlock()
	var told []web.What
	for _, e := range s.events {
		told = append(told, e.What)
		require.Equal(t, "Dr. Demo", e.By.Name)
		require.False(t, e.Time.IsZero())
	}
	require.Equal(t, web.ControlTaken, told[0])
	require.Equal(t, []web.What{web.OperationRequested, web.OperationEnded, web.ControlGivenUp}, told[len(told)-3:])
	require.Len(t, told, 1+8+3)
	last := s.events[len(s.events)-2]
	require.Equal(t, []string{"8"}, last.Arguments)
	require.Equal(t, "Fin", last.Outcome)

	// What goes into the chained audit: who, what, when and how it ended, and no value.
	for _, e := range s.events {
		rec := e.Record()
		require.Equal(t, audit.Digest(e), rec.Digest)
		require.Equal(t, e.Time, rec.Time)
		require.Equal(t, "Dr. Demo", rec.User)
		require.NotEmpty(t, rec.Remote)
		for _, value := range []string{"8", "eight", "999"} {
			require.NotContains(t, rec.Reason+rec.Outcome+rec.Target, value)
		}
	}
	require.Equal(t, audit.Event{
		Time: last.Time, Kind: audit.Finished, Device: vent.epr, User: "Dr. Demo", Remote: last.By.Address, Service: "SetValue", Action: "operation ended",
		Operation: set.Handle, Target: set.Target, Outcome: "Fin", Digest: audit.Digest(last),
	}, last.Record())
	require.Equal(t, audit.Denied, s.events[1].Record().Kind)
	require.NotEmpty(t, s.events[1].Record().Reason)
	require.Equal(t, audit.Controlled, s.events[0].Record().Kind)
}

// Nothing is done that nobody would know of.
func TestControlNeedsItsAudit(t *testing.T) {
	var s *scene
	s = newScene(t, func(c *web.Config) { c.Control = &web.Control{Audit: func(e web.Event) error { return s.audit(e) }} })
	vent, _ := s.bed(physio.Stable)
	v := s.live(2)
	set := peep(t, v, vent.epr)
	broken := func(is bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.broken = is
	}
	broken(true)
	status, got := s.post("api/v1/control", "", m{"action": "take", "name": "Dr. Demo"})
	require.Equal(t, 503, status)
	require.Contains(t, got.Error, "disk full")
	broken(false)
	status, got = s.post("api/v1/control", "", m{"action": "take", "name": "Dr. Demo"})
	require.Equal(t, 200, status, got.Error)
	token := got.Token
	before := value(t, s.station.View(), set)
	broken(true)
	status, got = s.post("api/v1/operations", token, m{"device": vent.epr, "operation": set.Handle, "value": "9", "confirmed": set.Handle})
	require.Equal(t, 503, status)
	require.Contains(t, got.Error, "disk full")
	require.Equal(t, before, value(t, s.station.View(), set))
	status, _ = s.post("api/v1/control", token, m{"action": "give"})
	require.Equal(t, 503, status, "it is told")
	broken(false)
	status, _ = s.post("api/v1/control", token, m{"action": "keep"})
	require.Equal(t, 409, status, "but control is given up all the same")
}

// A page that was forgotten does not stay armed.
func TestControlExpires(t *testing.T) {
	var s *scene
	s = newScene(t, func(c *web.Config) {
		c.Control = &web.Control{Lease: 50 * time.Millisecond, Audit: func(e web.Event) error { return s.audit(e) }}
	})
	status, got := s.post("api/v1/control", "", m{"action": "take", "name": "Dr. Demo"})
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool {
		status, _ := s.post("api/v1/control", "", m{"action": "take", "name": "Another"})
		return status == 200
	}, time.Minute, 10*time.Millisecond)
	status, _ = s.post("api/v1/control", got.Token, m{"action": "keep"})
	require.Equal(t, 409, status)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(t, web.ControlExpired, s.events[1].What)
}

func peep(t *testing.T, v *station.View, epr string) *station.Operation {
	t.Helper()
	for _, o := range v.Device(epr).Systems[0].Operations {
		if o.Kind == station.SetValue && strings.Contains(o.Handle, "peep") && o.Mode == pm.OperatingModeEn {
			return o
		}
	}
	t.Fatal("the ventilator has no operation for PEEP")
	return nil
}

func value(t *testing.T, v *station.View, o *station.Operation) float64 {
	t.Helper()
	val := v.Device(o.Device).Value(o.Target)
	require.NotNil(t, val)
	d, ok := val.Number.Get()
	require.True(t, ok)
	return d.Float64()
}
