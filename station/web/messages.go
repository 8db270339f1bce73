package web

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// The messages are the API: docs/station-api.md and openapi.json tell of them. Fields may be added, never changed.

// millis is a time as milliseconds since 1970, as browsers have it; 0 is no time.
type millis time.Time

// MarshalJSON writes a whole number.
func (m millis) MarshalJSON() ([]byte, error) {
	t := time.Time(m)
	if t.IsZero() {
		return []byte("0"), nil
	}
	return strconv.AppendInt(nil, t.UnixMilli(), 10), nil
}

// structure is everything but values and samples. It is sent when anything in it has changed.
type structure struct {
	Type      string         `json:"type"` // "structure"
	Version   uint64         `json:"version"`
	Time      millis         `json:"time"`
	Title     string         `json:"title"`
	Control   bool           `json:"control"`
	Devices   []deviceJSON   `json:"devices"`
	Patients  []patientJSON  `json:"patients"`
	Places    []placeJSON    `json:"places"`
	Conflicts []conflictJSON `json:"conflicts"`
	Waiting   []string       `json:"waiting"`
}

type deviceJSON struct {
	EPR          string       `json:"epr"`
	Name         string       `json:"name"`
	Manufacturer string       `json:"manufacturer"`
	Model        string       `json:"model"`
	Serial       string       `json:"serial"`
	Rule         string       `json:"rule"`
	Link         linkJSON     `json:"link"`
	Systems      []systemJSON `json:"systems"`
}

type linkJSON struct {
	State station.LinkState `json:"state"`
	Since millis            `json:"since"`
	Cause string            `json:"cause,omitempty"`
}

type systemJSON struct {
	Handle     string          `json:"handle"`
	Type       string          `json:"type"`
	Label      string          `json:"label"`
	Mode       string          `json:"mode,omitempty"`
	Patient    contextJSON     `json:"patient"`
	Location   contextJSON     `json:"location"`
	Ensembles  []string        `json:"ensembles"`
	ClockWrong bool            `json:"clockWrong"`
	Offset     int64           `json:"clockOffset"` // ms
	Values     []metricJSON    `json:"values"`
	Waves      []waveJSON      `json:"waves"`
	Alerts     []alertJSON     `json:"alerts"`
	Operations []operationJSON `json:"operations"`
}

// contextJSON is a patient or a place as an MDS tells of it.
type contextJSON struct {
	Association station.Association `json:"association"`
	Text        string              `json:"text,omitempty"`
	Birth       string              `json:"birth,omitempty"`
}

type metricJSON struct {
	Handle     string `json:"handle"`
	Code       string `json:"code"`
	Site       string `json:"site,omitempty"`
	Role       string `json:"role"`
	Symbol     string `json:"symbol,omitempty"`
	Label      string `json:"label"`
	Unit       string `json:"unit"`
	Resolution string `json:"resolution,omitempty"`
	Numeric    bool   `json:"numeric"`
}

type waveJSON struct {
	Handle string         `json:"handle"`
	Code   string         `json:"code"`
	Site   string         `json:"site,omitempty"`
	Label  string         `json:"label"`
	Unit   string         `json:"unit"`
	Period float64        `json:"period"` // ms between two samples
	Range  *[2]float64    `json:"range,omitempty"`
	Status station.Status `json:"status"`
}

type alertJSON struct {
	Handle       string   `json:"handle"`
	Label        string   `json:"label"`
	Code         string   `json:"code"`
	Kind         string   `json:"kind"`
	Priority     string   `json:"priority"` // "None", "Lo", "Me", "Hi"
	Present      bool     `json:"present"`
	Active       bool     `json:"active"`
	Latched      bool     `json:"latched"`
	Acknowledged bool     `json:"acknowledged"`
	Signalled    bool     `json:"signalled"`
	Off          bool     `json:"off"`
	Since        millis   `json:"since"`
	Sources      []string `json:"sources"`
	Limits       string   `json:"limits,omitempty"`
	Remedy       string   `json:"remedy,omitempty"`
	Stale        bool     `json:"stale"`
	Acknowledge  string   `json:"acknowledge,omitempty"` // handle of the operation by which it can be acknowledged now
}

type operationJSON struct {
	Handle    string   `json:"handle"`
	Label     string   `json:"label"`
	Kind      string   `json:"kind"`
	Code      string   `json:"code"`
	Target    string   `json:"target"`
	Unit      string   `json:"unit,omitempty"`
	Enabled   bool     `json:"enabled"`
	Ranges    []string `json:"ranges,omitempty"`
	Values    []string `json:"values,omitempty"`
	Arguments []string `json:"arguments,omitempty"`
	Access    string   `json:"access,omitempty"`
}

type patientJSON struct {
	Key     string      `json:"key"`
	Name    string      `json:"name"`
	Birth   string      `json:"birth,omitempty"`
	IDs     []string    `json:"ids"`
	Systems [][2]string `json:"systems"` // EPR and handle
}

type placeJSON struct {
	Key      string      `json:"key"`
	Text     string      `json:"text"`
	Systems  [][2]string `json:"systems"`
	Patients []string    `json:"patients"`
}

type conflictJSON struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// values are the metrics that changed since the last message to the same client, and a sign of life when none has.
type values struct {
	Type    string      `json:"type"` // "values"
	Version uint64      `json:"version"`
	Time    millis      `json:"time"`
	Values  []valueJSON `json:"values"`
}

type valueJSON struct {
	Device     string         `json:"device"`
	Handle     string         `json:"handle"`
	Number     string         `json:"number,omitempty"`
	Text       string         `json:"text,omitempty"`
	Validity   string         `json:"validity,omitempty"`
	Status     station.Status `json:"status"`
	Determined millis         `json:"determined"`
}

// waves are further samples of the waveforms a client has asked for.
type waves struct {
	Type   string      `json:"type"` // "waves"
	Time   millis      `json:"time"`
	Blocks []blockJSON `json:"blocks"`
}

type blockJSON struct {
	Device   string  `json:"device"`
	Handle   string  `json:"handle"`
	Start    millis  `json:"start"`
	Period   float64 `json:"period"`           // ms between two of these samples, after decimation
	Factor   int     `json:"factor,omitempty"` // of 2*Factor samples the least and the greatest are sent; 0: all of them
	Samples  samples `json:"samples"`
	Validity string  `json:"validity,omitempty"`
	Gap      bool    `json:"gap,omitempty"`
}

// samples are written with as many digits as a screen can show.
type samples []float32

// MarshalJSON writes a list of numbers; what is no number becomes null.
func (s samples) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+7*len(s))
	b = append(b, '[')
	for i, v := range s {
		if i > 0 {
			b = append(b, ',')
		}
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, f, 'g', 5, 32)
		}
	}
	return append(b, ']'), nil
}

// want is what a client asks for: the waveforms it shows, and how many samples a second it can show of each.
type want struct {
	Type  string `json:"type"` // "want"
	Waves []struct {
		Device string `json:"device"`
		Handle string `json:"handle"`
	} `json:"waves"`
	Rate int `json:"rate"`
}

func decimalText(o pm.Opt[pm.Decimal]) string {
	d, ok := o.Get()
	if !ok {
		return ""
	}
	return d.String()
}

func rangeText(r pm.Range) string {
	lower, upper := decimalText(r.Lower), decimalText(r.Upper)
	switch {
	case lower != "" && upper != "":
		return lower + " to " + upper
	case lower != "":
		return "from " + lower
	case upper != "":
		return "up to " + upper
	}
	return ""
}

// encode never fails: there is nothing in the messages that JSON does not have.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("web: " + err.Error())
	}
	return b
}
