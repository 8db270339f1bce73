package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
)

// control is the mode in which a browser may act. One browser has it at a time, for as long as it gives signs of life: a second
// one would not know what the first does, and a forgotten page must not stay armed.
type control struct {
	cfg *Control
	st  Station
	log *slog.Logger

	mu    sync.Mutex
	token string // "" when nobody has control
	by    User
	until time.Time
}

// controlRequest is the body of POST /api/v1/control.
type controlRequest struct {
	// Action is "take", "keep" or "give".
	Action string `json:"action"`
	// Name is who takes control.
	Name string `json:"name"`
}

// controlAnswer tells who has control, and the one who took it the token that operations need.
type controlAnswer struct {
	Token string `json:"token,omitempty"`
	By    string `json:"by,omitempty"`
	Until millis `json:"until"`
}

// tokenHeader carries the token. A form of another site cannot set it.
const tokenHeader = "X-Sdc-Control"

// maxName bounds the name of a user in bytes.
const maxName = 100

var (
	errControlTaken = errors.New("somebody else has control")
	errNoControl    = errors.New("control was never taken, or has been lost")
	errAudit        = errors.New("what is done cannot be recorded: nothing can be done")
)

func (h *Handler) postControl(w http.ResponseWriter, r *http.Request) {
	var req controlRequest
	if !h.decode(w, r, &req) {
		return
	}
	var out controlAnswer
	var err error
	token := r.Header.Get(tokenHeader)
	switch req.Action {
	case "take":
		if name := strings.TrimSpace(req.Name); name == "" || len(name) > maxName || !utf8.ValidString(name) {
			h.refuse(w, r, http.StatusBadRequest, "a name of at most 100 bytes is needed")
			return
		}
		out, err = h.control.take(userOf(r, strings.TrimSpace(req.Name)))
	case "keep":
		out, err = h.control.keep(token)
	case "give":
		err = h.control.give(token)
	default:
		h.refuse(w, r, http.StatusBadRequest, `action is "take", "keep" or "give"`)
		return
	}
	if err != nil {
		h.refuse(w, r, statusOf(err), err.Error())
		return
	}
	h.json(w, r, out)
}

func statusOf(err error) int {
	if errors.Is(err, errAudit) {
		return http.StatusServiceUnavailable
	}
	return http.StatusConflict
}

func userOf(r *http.Request, name string) User {
	u := User{Name: name, Address: r.RemoteAddr}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		own := r.TLS.PeerCertificates[0]
		u.Certificate, u.Fingerprint = own.Subject.String(), sdc.Fingerprint(own)
	}
	return u
}

func (c *control) take(u User) (controlAnswer, error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expireLocked(now)
	if c.token != "" {
		return controlAnswer{}, fmt.Errorf("%w: %s", errControlTaken, c.by.Name)
	}
	if err := c.tell(Event{Time: now, What: ControlTaken, By: u}); err != nil {
		return controlAnswer{}, err
	}
	c.token, c.by, c.until = rand.Text(), u, now.Add(c.cfg.Lease)
	return controlAnswer{Token: c.token, By: u.Name, Until: millis(c.until)}, nil
}

func (c *control) keep(token string) (controlAnswer, error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heldLocked(token, now) {
		return controlAnswer{}, errNoControl
	}
	c.until = now.Add(c.cfg.Lease)
	return controlAnswer{By: c.by.Name, Until: millis(c.until)}, nil
}

func (c *control) give(token string) error {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heldLocked(token, now) {
		return errNoControl
	}
	c.token = "" // whether or not that can be recorded
	return c.tell(Event{Time: now, What: ControlGivenUp, By: c.by})
}

// tell records an event.
func (c *control) tell(e Event) error {
	if err := c.cfg.Audit(e); err != nil {
		c.log.Error("what is done from a browser cannot be recorded", "what", e.What, "error", err)
		return fmt.Errorf("%w: %w", errAudit, err)
	}
	return nil
}

// holder is who has control, if the token is that one's.
func (c *control) holder(token string) (User, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by, c.heldLocked(token, time.Now())
}

func (c *control) heldLocked(token string, now time.Time) bool {
	c.expireLocked(now)
	return c.token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(c.token)) == 1
}

func (c *control) expireLocked(now time.Time) {
	if c.token != "" && now.After(c.until) {
		c.token = ""
		_ = c.tell(Event{Time: now, What: ControlExpired, By: c.by}) // it has been logged
	}
}

// operationRequest is the body of POST /api/v1/operations.
type operationRequest struct {
	Device    string `json:"device"`
	Operation string `json:"operation"`
	// Value is for SetValue and SetString, Arguments for Activate.
	Value     string   `json:"value"`
	Arguments []string `json:"arguments"`
	// Confirmed repeats the handle of the operation: what the user has confirmed on the page that showed it.
	Confirmed string `json:"confirmed"`
}

type operationAnswer struct {
	State string `json:"state"`
	Error string `json:"error,omitempty"`
}

// postOperation invokes an operation for the browser that has control, and answers with the final invocation state.
func (h *Handler) postOperation(w http.ResponseWriter, r *http.Request) {
	var req operationRequest
	if !h.decode(w, r, &req) {
		return
	}
	by, ok := h.control.holder(r.Header.Get(tokenHeader))
	if !ok {
		h.refuse(w, r, http.StatusForbidden, errNoControl.Error())
		return
	}
	event := Event{By: by, Device: req.Device, Operation: req.Operation, Arguments: req.Arguments}
	if req.Value != "" {
		event.Arguments = append([]string{req.Value}, req.Arguments...)
	}
	tell := func(what What, outcome string) error {
		event.Time, event.What, event.Outcome = time.Now(), what, outcome
		return h.control.tell(event)
	}
	op, err := h.control.check(r.Context(), by, &req)
	if op != nil {
		event.target, event.kind = op.Target, op.Kind
	}
	if err != nil {
		_ = tell(OperationRefused, err.Error()) // it is refused in any case
		h.refuse(w, r, http.StatusUnprocessableEntity, err.Error())
		return
	}
	if err := tell(OperationRequested, ""); err != nil {
		h.refuse(w, r, statusOf(err), err.Error())
		return
	}
	// What has been asked of a device goes on when the browser leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.control.cfg.Timeout)
	defer cancel()
	out := h.control.invoke(ctx, op, &req)
	// The browser gets to know what the device did, whether or not that can be recorded.
	_ = tell(OperationEnded, strings.TrimSpace(out.State+" "+out.Error))
	h.json(w, r, out)
}

// check refuses what must not be sent. The device checks it all again. The operation is returned if there is one.
func (c *control) check(ctx context.Context, by User, req *operationRequest) (*station.Operation, error) {
	d := c.st.View().Device(req.Device)
	if d == nil {
		return nil, errors.New("no such device")
	}
	var op *station.Operation
	var alerts []*station.Alert
	for _, s := range d.Systems {
		if op = s.Operation(req.Operation); op != nil {
			alerts = s.Alerts
			break
		}
	}
	switch {
	case op == nil:
		return nil, errors.New("the device has no such operation")
	case !d.Live():
		return op, errors.New("the device is not live: what is shown of it may not be so any more")
	case req.Confirmed != req.Operation:
		return op, errors.New("the operation has not been confirmed")
	case op.Mode != pm.OperatingModeEn:
		return op, errors.New("the operation is not enabled")
	}
	if c.cfg.Allow != nil {
		if err := c.cfg.Allow(ctx, by, op); err != nil {
			return op, err
		}
	} else if op.Access != "" && op.Access != pm.AccessLevelUsr {
		return op, fmt.Errorf("the operation is meant for %s, not for every user", op.Access)
	}
	switch op.Kind {
	case station.SetValue:
		value, err := pm.ParseDecimal(req.Value)
		if err != nil {
			return op, errors.New("the value is no number")
		}
		if !pm.InRanges(op.Ranges, value) {
			return op, fmt.Errorf("the value is outside of what the operation allows: %s", pm.RangesText(op.Ranges))
		}
	case station.SetString:
		if len(op.Values) > 0 && !slices.Contains(op.Values, req.Value) {
			return op, errors.New("the value is none of those that the operation allows")
		}
	case station.SetAlertState:
		if !slices.ContainsFunc(alerts, func(a *station.Alert) bool { return acknowledges(op, a) }) {
			return op, errors.New("there is no signal that this would acknowledge; nothing else of alarms can be set from here")
		}
	case station.Activate:
		if len(req.Arguments) != len(op.Arguments) {
			return op, fmt.Errorf("the operation takes %d arguments", len(op.Arguments))
		}
	default:
		return op, fmt.Errorf("%s cannot be invoked from here", op.Kind)
	}
	return op, nil
}

func (c *control) invoke(ctx context.Context, op *station.Operation, req *operationRequest) operationAnswer {
	dev, err := c.st.Device(req.Device)
	if err != nil {
		return operationAnswer{State: "Fail", Error: err.Error()}
	}
	var result *consumer.Result
	switch op.Kind {
	case station.SetValue:
		value, _ := pm.ParseDecimal(req.Value) // checked
		result, err = dev.SetValue(ctx, op.Handle, value)
	case station.SetString:
		result, err = dev.SetString(ctx, op.Handle, req.Value)
	case station.SetAlertState:
		signal := &pm.AlertSignalState{Presence: pm.AlertSignalPresenceAck}
		if s, ok := mdib.Get[*pm.AlertSignalState](dev.MDIB(), op.Target); ok {
			signal = pm.CloneState(s).(*pm.AlertSignalState) //nolint:errcheck,forcetypeassert // a clone is of the same type
			signal.Presence = pm.AlertSignalPresenceAck
		}
		result, err = dev.SetAlertState(ctx, op.Handle, signal)
	default:
		result, err = dev.Activate(ctx, op.Handle, req.Arguments...)
	}
	out := operationAnswer{State: "unknown"}
	if result != nil {
		out.State = string(result.State)
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// maxBody bounds the body of a request in bytes.
const maxBody = 64 << 10

// decode reads a JSON body; if it cannot, it has answered.
func (h *Handler) decode(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body is not understood: "+err.Error())
		return false
	}
	return true
}
