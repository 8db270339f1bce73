package measure

import "math"

// HeartRate finds QRS complexes in one ECG lead.
//
// The lead is differentiated, squared and integrated over 100 ms; a beat is a
// crossing of a threshold that follows the signal's own peaks, with a refractory
// time of 220 ms.
type HeartRate struct {
	dt         float64
	last       float64
	primed     bool
	window     []float64
	pos        int
	sum        float64
	peak       float64 // running estimate of the integrated signal at a QRS
	above      bool
	sinceBeat  float64 // s
	intervals  [8]float64
	n          int
	sinceStart float64
}

// asystole is the time in seconds without a beat after which no rate is given.
const asystole = 4.0

// NewHeartRate returns a detector for samples dt seconds apart.
func NewHeartRate(dt float64) *HeartRate {
	return &HeartRate{dt: dt, window: make([]float64, max(1, int(math.Round(0.1/dt))))}
}

// Add takes the next sample in mV and tells whether a beat was found at it.
func (h *HeartRate) Add(mv float64) bool {
	if !h.primed {
		h.last, h.primed = mv, true
	}
	slope := (mv - h.last) / h.dt
	h.last = mv
	h.sum += slope*slope - h.window[h.pos]
	h.window[h.pos] = slope * slope
	h.pos = (h.pos + 1) % len(h.window)
	level := h.sum / float64(len(h.window))

	h.sinceBeat += h.dt
	h.sinceStart += h.dt
	// The estimate decays, so that a smaller rhythm is found after a larger one.
	h.peak *= 1 - h.dt/6
	h.peak = max(h.peak, level)
	const floor = 20 // (mV/s)^2, above noise and T waves of an adult ECG
	threshold := max(0.35*h.peak, floor)
	beat := false
	if level > threshold && !h.above && h.sinceBeat > 0.22 {
		beat = true
		// The first second only teaches the threshold.
		if h.sinceStart > 1 {
			if h.sinceBeat < asystole {
				h.intervals[h.n%len(h.intervals)] = h.sinceBeat
				h.n++
			} else {
				h.n = 0
			}
		}
		h.sinceBeat = 0
	}
	h.above = level > threshold
	return beat
}

// Rate is the mean rate in beats per minute over at most eight beats; false
// before two intervals were seen and after four seconds without a beat.
func (h *HeartRate) Rate() (float64, bool) {
	k := min(h.n, len(h.intervals))
	if k < 2 || h.sinceBeat >= asystole {
		return 0, false
	}
	sum := 0.0
	for _, v := range h.intervals[:k] {
		sum += v
	}
	return 60 * float64(k) / sum, true
}
