package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/soap"
)

// getLocalizedText answers with the texts that pass every filter (SDPi R0503 to R0508).
func (p *Provider) getLocalizedText(_ context.Context, _ *soap.Request, r *msg.GetLocalizedText) (soap.Body, error) {
	response := &msg.GetLocalizedTextResponse{Text: p.cfg.Localization.Select(r)}
	response.MdibVersionGroup = versionGroup(p.store.Load())
	return response, nil
}

// getSupportedLanguages answers with the languages there are texts in.
func (p *Provider) getSupportedLanguages(context.Context, *soap.Request, *msg.GetSupportedLanguages) (soap.Body, error) {
	response := &msg.GetSupportedLanguagesResponse{Lang: p.cfg.Localization.Languages()}
	response.MdibVersionGroup = versionGroup(p.store.Load())
	return response, nil
}

// checkTexts: what an MDIB refers to must be there. With a catalogue every reference must resolve (BICEPS R5049); without one there should be no
// references, and in SDPi there must be none (SDPi R0509).
func (c *Config) checkTexts() error {
	findings := c.Localization.Check(c.MDIB)
	if len(findings) == 0 {
		return nil
	}
	if c.Localization == nil {
		err := fmt.Errorf("SDPi R0509: the MDIB refers to texts (%s) but there is no Localization service; set Localization", findings[0])
		if c.Profile == mdib.ProfileSDPi {
			return err
		}
		c.Logger.Warn("the MDIB refers to texts that nobody can ask for", "finding", err.Error())
		return nil
	}
	const most = 10
	var errs []error
	for i, f := range findings {
		if i == most {
			errs = append(errs, fmt.Errorf("and %d more references without text", len(findings)-most))
			break
		}
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}

// warnOfTexts looks at what a change brought in. It is too late to refuse it, but the maker of the device should know.
func (p *Provider) warnOfTexts(change *mdib.Change) {
	if p.cfg.Localization == nil {
		return // told once, when the device was made
	}
	check := func(handle string, part any) {
		for _, f := range p.cfg.Localization.CheckPart(handle, part) {
			p.log.LogAttrs(context.Background(), slog.LevelWarn, "a change of the MDIB refers to a text that is not there", slog.String("finding", f.String()))
		}
	}
	for i := range change.Descriptors {
		if d := &change.Descriptors[i]; d.After != nil {
			check(d.Handle, d.After)
		}
	}
	for i := range change.States {
		check(change.States[i].Handle, change.States[i].After)
	}
}
