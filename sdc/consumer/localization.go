package consumer

import (
	"context"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// GetSupportedLanguages asks which languages the device has texts in (SDPi DEV-33). Errors as those of [Device.GetMdState].
func (d *Device) GetSupportedLanguages(ctx context.Context) ([]pm.Language, error) {
	resp, err := query[*msg.GetSupportedLanguagesResponse](ctx, d, sdc.LocalizationService, sdc.ActionGetSupportedLanguages, &msg.GetSupportedLanguages{})
	if err != nil {
		return nil, err
	}
	return resp.Lang, nil
}

// GetLocalizedText asks for the texts that pass every filter of the request; an empty request, or nil, asks for the newest version of all texts
// (BICEPS R5047). Errors as those of [Device.GetMdState].
func (d *Device) GetLocalizedText(ctx context.Context, filter *msg.GetLocalizedText) ([]pm.LocalizedText, error) {
	if filter == nil {
		filter = &msg.GetLocalizedText{}
	}
	resp, err := query[*msg.GetLocalizedTextResponse](ctx, d, sdc.LocalizationService, sdc.ActionGetLocalizedText, filter)
	if err != nil {
		return nil, err
	}
	return resp.Text, nil
}
