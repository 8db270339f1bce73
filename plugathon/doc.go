// Package plugathon plays the consumer's part of the script that SDC plug-a-thons run between every pair of implementations: it finds a device, connects, watches
// what it reports, invokes its operations, asks for texts, and says for each step whether the device did its part and what was seen.
//
//	report := plugathon.Run(ctx, plugathon.Config{Consumer: c, Find: find})
//
// Everything on the device is found by its type, never by handles known in advance.
package plugathon
