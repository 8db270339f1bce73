// Package alertprovider is the device side of a distributed alarm system: the SOMDS Medical Alert Provider of IHE SDPi-A with the option of that name (DEV-48 and
// DEV-49; experimental, see package das). While a consumer watches the alarms of a device, and proves it, the device is quiet; whatever goes wrong, it sounds again at once.
//
//	mon, err := alertprovider.New(alertprovider.Config{Device: dev})    // the MDIB of dev has das.Description.Operations
//	alarms, err := alerts.New(alerts.Config{Device: mon})               // mon stands between the device and its alarms
//	go alarms.Run(ctx)
//	err = mon.Run(ctx, alarms)
//
// # Phases
//
//	Local     nobody monitors; the local signals are as they are
//	Pending   a consumer has taken over; conditions that were present then are not yet confirmed, and the local signals go on
//	Quiet     everything is confirmed, or has time left for it: the local signals are paused (alerts.Manager.Quiet)
//	Disabled  the operations are disabled: for a time after a fallback, or until Enable
//
//	from            by                                                       to
//	Local           activation                                               Pending, or Quiet if no condition is present
//	Pending         the last condition present at takeover is confirmed      Quiet
//	                or has gone
//	Pending, Quiet  activation again by the same consumer                    the same; the time begins again
//	Pending, Quiet  EndMonitoredByDAS by the same consumer                   Local
//	Pending, Quiet  no activation within InvocationEffectiveTimeout          Disabled for Config.Holdoff, then Local
//	Pending, Quiet  a change is not confirmed within its time                the same
//	Pending, Quiet  End; a new sequence of the MDIB                          the same
//	any             Disable                                                  Disabled, until Enable
//
// So no alarm is silent for longer than MaxTechnicalConfirmationDelay without the proof that it has been delivered. The quiet is a lease of the alarm manager: should this package be
// stuck, it ends by itself, within InvocationEffectiveTimeout of the last activation.
//
// One consumer monitors at a time; another one is refused meanwhile. Consumers are told apart by their certificates, over plain HTTP by their hosts. Who may
// call the operations at all is for provider.Config.Policy to say.
package alertprovider
