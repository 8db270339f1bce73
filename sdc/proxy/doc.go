// Package proxy is a discovery proxy: it knows which devices are present and tells consumers, over
// mutual TLS and without multicast (the managed discovery option of IHE SDPi; actor Discovery Proxy,
// DEV-46 and DEV-47).
//
// Devices say Hello and Bye to it, consumers send Probe and Resolve and subscribe to Hello and
// Bye. While a device is listed the proxy keeps asking it by directed Probes whether it is there
// (SDPi R1025), and says Bye for one that does not answer (SDPi R7006). What it knows survives a
// restart in a file, if one is named.
//
//	p, err := proxy.New(proxy.Config{Identity: id, StateFile: "/var/lib/sdc/proxy"})
//	err = p.Run(ctx)
//
// Its certificate states both roles of SDC: devices meet it as a consumer, consumers as a provider.
// Of those who call it, only providers may announce, and only consumers may ask and subscribe. An
// endpoint belongs to the certificate holder who announced it first: others can neither replace
// nor remove it while it answers.
package proxy
