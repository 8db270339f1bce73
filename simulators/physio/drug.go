package physio

import "math"

// Drug names what a pump may put into the vein.
type Drug string

const (
	// NoDrug is a carrier fluid without effect, such as saline.
	NoDrug Drug = ""
	// Remifentanil is an opioid: it depresses breathing and slows the heart a little. It acts within a
	// minute or two and wears off as fast.
	Remifentanil Drug = "remifentanil"
	// Norepinephrine narrows the arteries: the pressure rises.
	Norepinephrine Drug = "norepinephrine"
)

// Drugs lists every drug the model knows, NoDrug left out.
func Drugs() []Drug { return []Drug{Remifentanil, Norepinephrine} }

// kinetics is one compartment from which the drug is cleared, and an effect site that follows its
// concentration. Values are of the order found in textbooks for an adult; they make courses plausible and are no
// basis for a dose.
type kinetics struct {
	volume    float64 // L
	clearance float64 // L/min
	ke0       float64 // 1/min, between compartment and effect site
}

func kineticsOf(d Drug) kinetics {
	switch d {
	case Remifentanil:
		return kinetics{volume: 5.1, clearance: 2.6, ke0: 0.6}
	case Norepinephrine:
		return kinetics{volume: 6, clearance: 2.0, ke0: 1.5}
	case NoDrug:
	}
	return kinetics{volume: 1, clearance: 1, ke0: 1}
}

// strongest bounds the concentrations of the model in µg/L, far above every effect: whatever is
// infused, no value leaves its range.
const strongest = 100.0

// dose is one drug in the body.
type dose struct {
	plasma, site float64 // µg/L
}

func (d *dose) add(drug Drug, micrograms float64) {
	d.plasma = min(d.plasma+max(micrograms, 0)/kineticsOf(drug).volume, strongest)
}

func (d *dose) step(h float64, drug Drug) {
	k := kineticsOf(drug)
	d.site += (d.plasma - d.site) * min(k.ke0*h/60, 1)
	d.plasma *= math.Exp(-k.clearance / k.volume * h / 60)
}

// hill is the usual sigmoid between concentration and effect, 0 to 1.
func hill(concentration, half, slope float64) float64 {
	if concentration <= 0 {
		return 0
	}
	c := math.Pow(concentration, slope)
	return c / (c + math.Pow(half, slope))
}

// Infuse puts micrograms of a drug into the vein. NoDrug and negative amounts have no effect.
func (p *Patient) Infuse(drug Drug, micrograms float64) {
	switch drug {
	case Remifentanil:
		p.opioid.add(drug, micrograms)
	case Norepinephrine:
		p.pressor.add(drug, micrograms)
	case NoDrug:
	}
}

// EffectSite is the concentration of a drug where it acts, in µg/L.
func (p *Patient) EffectSite(drug Drug) float64 {
	switch drug {
	case Remifentanil:
		return p.opioid.site
	case Norepinephrine:
		return p.pressor.site
	case NoDrug:
	}
	return 0
}

// depression is the part of the breathing drive that the opioid takes away, 0 to 0.97.
func (p *Patient) depression() float64 { return 0.97 * hill(p.opioid.site, 1.3, 2) }

// tone is the factor by which the vasopressor raises the resistance of the arteries, 1 to 1.9.
func (p *Patient) tone() float64 {
	return (1 + 0.9*hill(p.pressor.site, 8, 1)) * (1 - 0.15*hill(p.opioid.site, 3, 1))
}
