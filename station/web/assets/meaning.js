// How a metric is shown, by what it means: which colour, and what comes first. Codes are of ISO/IEEE 11073-10101.

const groups = [
  // rank, colour class, codes
  ["heart", ["147842", "147850", "149530", "149514", "131330"]], // heart rate, pulse rate, ECG lead II
  ["oxygen", ["150456", "150316", "150452"]], // SpO2, plethysmogram
  ["pressure", ["150033", "150034", "150035", "150036", "150037", "150038", "150039", "150021", "150022", "150023"]], // arterial and non-invasive blood pressure
  ["breath", ["151562", "151570", "151578", "151586", "151594"]], // respiratory rates
  ["carbon", ["151708", "151712", "151716", "151960", "151700"]], // CO2
  ["airway", ["151957", "151793", "151784", "151976", "151868", "151980", "151804", "151808"]], // airway pressures and volumes
  ["heart", ["131328", "131329", "131389", "131390", "131391", "131392", "131331", "131332", "131333", "131334", "131335", "131336"]], // ECG, leads I, III, aVR, aVL, aVF, V1 to V6
];

const found = new Map();
groups.forEach(([group, codes], rank) => codes.forEach((code, i) => found.set(code, { group, rank: rank * 100 + i })));

export function look(code) {
  return found.get(code) ?? { group: "other", rank: 100000 };
}

// important sorts what is measured before what is set, and the vital before the rest; the order of the device decides otherwise.
export function important(metrics) {
  const rank = (m) => (m.role === "measured" ? 0 : 1e6) + look(m.code).rank;
  return [...metrics].sort((a, b) => rank(a) - rank(b));
}
