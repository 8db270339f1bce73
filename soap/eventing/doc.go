// Package eventing implements WS-Eventing (August 2004) as DPWS 1.1 and MDPWS profile it: push
// delivery, filtering by action, and subscriptions that expire.
//
// A [Source] grants subscriptions and delivers what is given to [Source.Publish]; a [Sink]
// subscribes at the sources of others, receives notifications and keeps subscriptions alive.
//
// # Delivery
//
// The body of a notification is encoded once by the caller and shared, read-only, by all
// subscriptions; per subscription only the header is written. Each consumer, that is each host
// and port that subscriptions deliver to, has one goroutine that posts its messages one after
// the other, in the order of the Publish calls, over at most one connection (SDPi R1001, R1004,
// R1014). Each subscription has its own bounds on waiting messages and bytes. Publish never
// waits: a consumer that is too slow fills its own queue and loses its own subscription.
//
// # How subscriptions end
//
//   - expired: silently (WS-Eventing, 3.1);
//   - Unsubscribe: with the answer to that request;
//   - a notification that could not be delivered, or a full queue: SubscriptionEnd with
//     [StatusDeliveryFailure] to EndTo; other subscriptions of the consumer continue (GLUE R0036_0);
//   - [Source.Close]: what waits is delivered, then SubscriptionEnd with
//     [StatusSourceShuttingDown], all within the deadline of the call;
//   - [Source.Cancel]: SubscriptionEnd with [StatusSourceCancelling].
package eventing

import "github.com/semeco/go-sdc/internal/xmlscan"

// Actions of WS-Eventing messages.
const (
	ActionSubscribe           = xmlscan.NsEventing + "/Subscribe"
	ActionSubscribeResponse   = xmlscan.NsEventing + "/SubscribeResponse"
	ActionRenew               = xmlscan.NsEventing + "/Renew"
	ActionRenewResponse       = xmlscan.NsEventing + "/RenewResponse"
	ActionGetStatus           = xmlscan.NsEventing + "/GetStatus"
	ActionGetStatusResponse   = xmlscan.NsEventing + "/GetStatusResponse"
	ActionUnsubscribe         = xmlscan.NsEventing + "/Unsubscribe"
	ActionUnsubscribeResponse = xmlscan.NsEventing + "/UnsubscribeResponse"
	ActionSubscriptionEnd     = xmlscan.NsEventing + "/SubscriptionEnd"
	ActionFault               = xmlscan.NsEventing + "/fault"
)

// URIs that appear inside WS-Eventing messages.
const (
	// ModePush is the only delivery mode of DPWS.
	ModePush = xmlscan.NsEventing + "/DeliveryModes/Push"
	// DialectAction is the filter dialect of DPWS: action URIs separated by white space, of
	// which one has to equal the action of the message exactly (SDPi R7001).
	DialectAction = xmlscan.NsDPWS + "/Action"
)

// Status says why a source ended a subscription, as a URI in SubscriptionEnd.
type Status string

// The statuses of WS-Eventing. Others are possible: the schema leaves the set open.
const (
	StatusDeliveryFailure    Status = xmlscan.NsEventing + "/DeliveryFailure"
	StatusSourceShuttingDown Status = xmlscan.NsEventing + "/SourceShuttingDown"
	StatusSourceCancelling   Status = xmlscan.NsEventing + "/SourceCancelling"
)
