package bedside

import (
	"errors"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Place is where a device belongs from the start.
type Place struct {
	// Location is associated unless it is zero.
	Location sdc.LocationDetail
	// Ensemble is joined unless it is "".
	Ensemble string
}

// take associates location and ensemble. The simulation itself vouches for them.
func (pl Place) take(p *provider.Provider) error {
	self := pm.InstanceIdentifier{Root: build.PrivateCodes, Extension: "simulator"}
	var errs []error
	if !pl.Location.IsZero() {
		errs = append(errs, p.SetLocation(pl.Location, self))
	}
	if pl.Ensemble != "" {
		_, err := p.JoinEnsemble(provider.Context{
			Identification: []pm.InstanceIdentifier{{Root: build.EnsembleRoot, Extension: pl.Ensemble}}, Validator: []pm.InstanceIdentifier{self},
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
