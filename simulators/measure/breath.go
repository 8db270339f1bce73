package measure

// apnoea is the time in seconds without a breath after which no rate is given.
const apnoea = 20.0

// Capnograph finds breaths in the partial pressure of CO2 at the airway.
type Capnograph struct {
	dt        float64
	exhaling  bool
	peak, low float64
	since     float64
	intervals [5]float64
	n         int
	breaths   int
	etCO2     float64
	fiCO2     float64
}

// NewCapnograph returns a detector for samples dt seconds apart.
func NewCapnograph(dt float64) *Capnograph { return &Capnograph{dt: dt} }

// Add takes the next sample in mmHg and tells whether an expiration ended.
func (c *Capnograph) Add(mmHg float64) bool {
	const rise, fall = 12, 6 // mmHg
	c.since += c.dt
	if c.exhaling {
		c.peak = max(c.peak, mmHg)
		if mmHg >= fall {
			return false
		}
		c.exhaling = false
		c.low = mmHg
		c.etCO2 = c.peak
		c.breaths++
		if c.breaths > 1 && c.since < apnoea {
			c.intervals[c.n%len(c.intervals)] = c.since
			c.n++
		} else {
			c.n = 0
		}
		c.since = 0
		return true
	}
	c.low = min(c.low, mmHg)
	if mmHg > rise {
		c.exhaling = true
		c.fiCO2 = c.low
		c.peak = mmHg
	}
	return false
}

func (c *Capnograph) valid() bool { return c.breaths > 0 && c.since < apnoea }

// EndTidal is etCO2 in mmHg of the last breath; false before the first and in apnoea.
func (c *Capnograph) EndTidal() (float64, bool) { return c.etCO2, c.valid() }

// Inspired is the lowest CO2 in mmHg during the last inspiration.
func (c *Capnograph) Inspired() (float64, bool) { return max(c.fiCO2, 0), c.valid() }

// Rate is in breaths per minute over at most five breaths.
func (c *Capnograph) Rate() (float64, bool) {
	k := min(c.n, len(c.intervals))
	if k == 0 || c.since >= apnoea {
		return 0, false
	}
	sum := 0.0
	for _, v := range c.intervals[:k] {
		sum += v
	}
	return 60 * float64(k) / sum, true
}

// SinceBreath is the time in seconds since the last expiration ended.
func (c *Capnograph) SinceBreath() float64 { return c.since }

// Breath is what a ventilator measures of one breath.
type Breath struct {
	// InspiredVolume and ExpiredVolume are in mL.
	InspiredVolume, ExpiredVolume float64
	// PeakPressure, MeanPressure and EndExpiratoryPressure are in cmH2O.
	PeakPressure, MeanPressure, EndExpiratoryPressure float64
	// PeakInspiratoryFlow and PeakExpiratoryFlow are in L/min.
	PeakInspiratoryFlow, PeakExpiratoryFlow float64
	// InspiratoryTime and Duration are in seconds.
	InspiratoryTime, Duration float64
}

// Spirometer integrates flow and pressure at the Y piece into breaths.
type Spirometer struct {
	dt        float64
	inspiring bool
	cur       Breath
	sumP, n   float64
	lastP     float64
	result    Breath
	breaths   int
	since     float64
}

// NewSpirometer returns a detector for samples dt seconds apart.
func NewSpirometer(dt float64) *Spirometer { return &Spirometer{dt: dt} }

// Add takes flow in L/s (positive into the patient) and pressure in cmH2O, and
// tells whether a breath was completed, which is when the next one begins.
func (s *Spirometer) Add(flow, pressure float64) bool {
	s.since += s.dt
	const start = 0.03 // L/s: leakage and noise stay below
	done := false
	switch {
	case !s.inspiring && flow > start:
		s.inspiring = true
		if s.n > 0 {
			s.cur.Duration = s.since
			s.cur.MeanPressure = s.sumP / s.n
			s.cur.EndExpiratoryPressure = s.lastP
			// What came before the first inspiration is not a whole breath.
			if s.breaths > 0 {
				s.result, done = s.cur, true
			}
			s.breaths++
		}
		s.cur, s.sumP, s.n, s.since = Breath{}, 0, 0, 0
	case s.inspiring && flow < -start:
		s.inspiring = false
		s.cur.InspiratoryTime = s.since
	}
	if flow > 0 {
		s.cur.InspiredVolume += flow * s.dt * 1000
		s.cur.PeakInspiratoryFlow = max(s.cur.PeakInspiratoryFlow, flow*60)
	} else {
		s.cur.ExpiredVolume -= flow * s.dt * 1000
		s.cur.PeakExpiratoryFlow = max(s.cur.PeakExpiratoryFlow, -flow*60)
	}
	s.cur.PeakPressure = max(s.cur.PeakPressure, pressure)
	s.sumP += pressure
	s.n++
	s.lastP = pressure
	return done
}

// Last is the last complete breath; false before the second inspiration and in apnoea.
func (s *Spirometer) Last() (Breath, bool) {
	return s.result, s.breaths > 1 && s.since < apnoea
}
