package consumer

import (
	"context"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// GetContextStatesByIdentification asks for the context states that have all of the identifiers (BICEPS R5036, R5037); of is a type such as
// pm:PatientContextState, the zero Opt any. SDPi advises against it (R0501): [Device.MDIB] has all context states already. Nothing in this package calls it.
// Errors as those of [Device.GetMdState].
func (d *Device) GetContextStatesByIdentification(ctx context.Context, of pm.Opt[pm.QName], ids ...pm.InstanceIdentifier) (*msg.GetContextStatesByIdentificationResponse, error) {
	return query[*msg.GetContextStatesByIdentificationResponse](ctx, d, sdc.ContextService, sdc.ActionGetContextStatesByIdentification,
		&msg.GetContextStatesByIdentification{ContextType: of, Identification: ids})
}

// GetContextStatesByFilter asks for the context states that all of the XPath expressions match (BICEPS R5043 to R5045); otherwise it is
// as GetContextStatesByIdentification.
func (d *Device) GetContextStatesByFilter(ctx context.Context, of pm.Opt[pm.QName], filters ...string) (*msg.GetContextStatesByFilterResponse, error) {
	return query[*msg.GetContextStatesByFilterResponse](ctx, d, sdc.ContextService, sdc.ActionGetContextStatesByFilter,
		&msg.GetContextStatesByFilter{ContextType: of, Filter: filters})
}
