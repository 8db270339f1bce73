package msg

import "github.com/semeco/go-sdc/mdib/pm"

// Retrievability says by which ways a descriptor's states can be had. It stands in the descriptor's
// ext:Extension.
type Retrievability struct {
	By []RetrievabilityInfo `sdc:"By,*"`
}

// RetrievabilityInfo is one way states can be had.
type RetrievabilityInfo struct {
	Method RetrievabilityMethod `sdc:"@Method,1"`
	// UpdatePeriod of a periodic event. Implied value PT1S, see UpdatePeriodOrDefault.
	UpdatePeriod pm.Opt[pm.Duration] `sdc:"@UpdatePeriod,?"`
	Extension    pm.Extension        `sdc:"ext:Extension,?"`
}

// UpdatePeriodOrDefault returns the period, PT1S if absent.
func (r *RetrievabilityInfo) UpdatePeriodOrDefault() pm.Duration {
	return r.UpdatePeriod.Or(pm.MustDuration("PT1S"))
}

// RetrievabilityMethod is a way states can be had.
type RetrievabilityMethod string

// Values of RetrievabilityMethod.
const (
	RetrievabilityMethodGet  RetrievabilityMethod = "Get"  // request and response
	RetrievabilityMethodPer  RetrievabilityMethod = "Per"  // periodic event
	RetrievabilityMethodEp   RetrievabilityMethod = "Ep"   // episodic event
	RetrievabilityMethodStrm RetrievabilityMethod = "Strm" // stream
)
