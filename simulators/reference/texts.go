package reference

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
)

//go:embed texts.json
var defaultTexts []byte

// Configure answers all that is asked of a device on a bench: the requests of the Context service that are optional, and metrics set wherever
// a consumer's script wants them. It offers the package's texts in the Localization service (steps 7a to 7c), unless the caller has
// chosen a catalogue or the MDIB refers to texts that are not the package's.
func (d *Device) Configure(cfg *provider.Config) error {
	cfg.ContextQueries, cfg.MetricsBeyondTarget = true, true
	if cfg.Localization != nil {
		return nil
	}
	texts, err := localization.Read(bytes.NewReader(defaultTexts))
	if err != nil {
		return fmt.Errorf("built-in texts: %w", err)
	}
	if len(texts.Check(d.mdib)) > 0 {
		d.cfg.Log().Warn("the MDIB refers to texts that are not known here; the device offers no Localization service")
		return nil
	}
	cfg.Localization = texts
	return nil
}
