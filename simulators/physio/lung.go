package physio

// DriveMode says which quantity the machine imposes at the airway opening.
type DriveMode uint8

const (
	// OpenAir leaves the airway at ambient pressure.
	OpenAir DriveMode = iota
	// PressureSource holds the pressure at Drive.Value cmH2O above ambient.
	PressureSource
	// FlowSource pushes Drive.Value L/s into the patient.
	FlowSource
	// Occluded closes the airway: no flow, pressure equals alveolar pressure.
	Occluded
)

// Drive is what a machine applies at the airway opening during one step.
type Drive struct {
	// Mode is the imposed quantity.
	Mode DriveMode
	// Value is in cmH2O above ambient for PressureSource, L/s for FlowSource.
	Value float64
	// FiO2 is the inspired fraction of oxygen, 0.21 to 1; 0 is room air.
	FiO2 float64
}

// Airway is what sensors at the Y piece see.
type Airway struct {
	// Pressure in cmH2O above ambient.
	Pressure float64
	// Flow in L/s, positive into the patient.
	Flow float64
	// Volume in L above the resting volume of the lung.
	Volume float64
	// CO2 is the partial pressure in mmHg at the airway opening.
	CO2 float64
}

// lung is one compartment: P = R·flow + V/C - effort.
type lung struct {
	compliance float64 // L/cmH2O
	resistance float64 // cmH2O·s/L
	volume     float64 // L above resting volume
	flow       float64 // L/s into the patient
}

// Pressure that a machine builds up against the open circuit's own resistance.
const openCircuitResistance = 1.2 // cmH2O·s/L

func (l *lung) step(h float64, d Drive, connected bool, effort float64) Airway {
	if !connected {
		// The patient exhales to ambient; the machine blows past the sensor.
		l.flow = (effort - l.volume/l.compliance) / l.resistance
		l.volume += l.flow * h
		air := Airway{Volume: 0}
		switch d.Mode {
		case FlowSource:
			air.Flow = d.Value
			air.Pressure = d.Value * openCircuitResistance
		case PressureSource:
			// A blower reaches its flow limit long before its pressure target.
			air.Flow = min(d.Value/openCircuitResistance, 1.5)
			air.Pressure = air.Flow * openCircuitResistance * 0.5
		case OpenAir, Occluded:
		}
		return air
	}
	alveolar := l.volume/l.compliance - effort
	air := Airway{}
	switch d.Mode {
	case FlowSource:
		l.flow = d.Value
		air.Pressure = alveolar + l.resistance*l.flow
	case PressureSource:
		l.flow = (d.Value - alveolar) / l.resistance
		air.Pressure = d.Value
	case Occluded:
		l.flow = 0
		air.Pressure = alveolar
	case OpenAir:
		l.flow = -alveolar / l.resistance
	}
	l.volume = max(l.volume+l.flow*h, -1)
	air.Flow, air.Volume = l.flow, l.volume
	return air
}
