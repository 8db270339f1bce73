package build

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Manufacturer is the maker of all simulated devices.
const Manufacturer = "semeco"

// Handles of what every simulated device has.
const (
	HandleMDS           = "mds"
	HandleAlertSystem   = "alerts"
	HandleSCO           = "sco"
	HandleClock         = "clock"
	HandleBattery       = "battery"
	HandleSystemContext = "context"
	HandlePatient       = "context.patient"
	HandleLocation      = "context.location"
	HandleEnsemble      = "context.ensemble"
	HandleOperator      = "context.operator"
	HandleWorkflow      = "context.workflow"
	HandleMeans         = "context.means"
	// OpSetPatient and the next are SetContextState operations.
	OpSetPatient  = "op.patient.set"
	OpSetLocation = "op.location.set"
	OpSetEnsemble = "op.ensemble.set"
)

// Device is the table of a whole device with one MDS.
type Device struct {
	Type          Code
	Model, Number string
	Serial        string
	Alerts        *pm.AlertSystemDescriptor
	Operations    []pm.OperationDescriptor
	VMDs          []*pm.VmdDescriptor
	States        []pm.State // those that are not as InitialState makes them
}

// MDIB builds the MDIB.
func (d Device) MDIB() (*mdib.Snapshot, error) {
	mds := &pm.MdsDescriptor{
		MetaData: &pm.MetaData{
			Manufacturer: Text(Manufacturer), ModelName: Text(d.Model), ModelNumber: d.Number, SerialNumber: []string{d.Serial},
		},
		SystemContext: systemContext(), Clock: clock(), Battery: []*pm.BatteryDescriptor{battery()}, Vmd: d.VMDs,
	}
	mds.AbstractDescriptor = Base(HandleMDS, d.Type)
	// Stable over restarts, and another one for every serial number (SDPi R0014, R0015, R0017).
	ext.SetEquipmentIdentifier(&mds.Extension, uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/semeco/go-sdc/simulators/"+d.Serial)).URN())
	mds.SafetyClassification = pm.SafetyClassificationMedB
	mds.AlertSystem = d.Alerts
	sco := &pm.ScoDescriptor{Operation: append(d.Operations,
		SetContextState(OpSetPatient, HandlePatient, Private("set-patient", "Admit, change or discharge the patient")),
		SetContextState(OpSetLocation, HandleLocation, Private("set-location", "Set the location of the device")),
		SetContextState(OpSetEnsemble, HandleEnsemble, Private("set-ensemble", "Join or leave an ensemble")),
	)}
	sco.AbstractDescriptor = Base(HandleSCO, Private("sco", "Operations"))
	mds.Sco = sco

	mdsState := &pm.MdsState{Lang: "en", OperatingMode: pm.MdsOperatingModeDmo}
	mdsState.DescriptorHandle, mdsState.ActivationState = HandleMDS, pm.ComponentActivationOn
	states := append([]pm.State{mdsState, clockState(), batteryState()}, d.States...)
	snap, err := mdib.FromMdib(&pm.Mdib{
		MdibVersionGroup: pm.MdibVersionGroup{SequenceId: "urn:uuid:00000000-0000-4000-8000-000000000000"},
		MdDescription:    &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}},
		MdState:          &pm.MdState{State: states},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Model, err)
	}
	return snap, nil
}

func systemContext() *pm.SystemContextDescriptor {
	sc := &pm.SystemContextDescriptor{
		PatientContext: &pm.PatientContextDescriptor{}, LocationContext: &pm.LocationContextDescriptor{},
		EnsembleContext: []*pm.EnsembleContextDescriptor{{}}, OperatorContext: []*pm.OperatorContextDescriptor{{}},
		WorkflowContext: []*pm.WorkflowContextDescriptor{{}}, MeansContext: []*pm.MeansContextDescriptor{{}},
	}
	sc.AbstractDescriptor = Base(HandleSystemContext, Code{})
	sc.PatientContext.Handle = HandlePatient
	sc.LocationContext.Handle = HandleLocation
	sc.EnsembleContext[0].Handle = HandleEnsemble
	sc.OperatorContext[0].Handle = HandleOperator
	sc.WorkflowContext[0].Handle = HandleWorkflow
	sc.MeansContext[0].Handle = HandleMeans
	return sc
}

func clock() *pm.ClockDescriptor {
	c := &pm.ClockDescriptor{
		Resolution:   pm.Some(pm.MustDuration("PT0.001S")),
		TimeProtocol: []pm.CodedValue{*ntp().Value()},
	}
	c.AbstractDescriptor = Base(HandleClock, Private("clock", "Clock"))
	return c
}

func ntp() Code { return Code{"532226", "MDC_TIME_SYNC_NTPV4", "NTP version 4"} }

// clockState: the clock is the host's, which is presumed to be synchronised (SDPi R1531).
func clockState() pm.State {
	s := &pm.ClockState{RemoteSync: true, Accuracy: pm.Some(pm.MustDecimal("0.05")), TimeZone: "UTC0", ActiveSyncProtocol: ntp().Value()}
	s.DescriptorHandle, s.ActivationState = HandleClock, pm.ComponentActivationOn
	return s
}

func battery() *pm.BatteryDescriptor {
	b := &pm.BatteryDescriptor{VoltageSpecified: Measured("24", Volt())}
	b.AbstractDescriptor = Base(HandleBattery, Private("battery", "Battery"))
	return b
}

func batteryState() pm.State {
	s := &pm.BatteryState{
		ChargeStatus: pm.ChargeStatusFul, ChargeCycles: pm.Some(uint32(12)), Voltage: Measured("25.6", Volt()),
		RemainingBatteryTime: Measured("120", Minute()), CapacityRemaining: Measured("100", Percent()),
	}
	s.DescriptorHandle, s.ActivationState = HandleBattery, pm.ComponentActivationOn
	return s
}

// AlertSystemState is the state of an alert system at work.
func AlertSystemState(handle string) pm.State {
	s := &pm.AlertSystemState{SelfCheckCount: pm.Some(int64(0)), SystemSignalActivation: []pm.SystemSignalActivation{
		{Manifestation: pm.AlertSignalManifestationVis, State: pm.AlertActivationOn},
		{Manifestation: pm.AlertSignalManifestationAud, State: pm.AlertActivationOn},
	}}
	s.DescriptorHandle, s.ActivationState = handle, pm.AlertActivationOn
	return s
}

// Measured is a value with its unit.
func Measured(value string, unit Code) *pm.Measurement {
	return &pm.Measurement{MeasuredValue: pm.MustDecimal(value), MeasurementUnit: *unit.Value()}
}
