package web

import "math"

// decimate reduces samples to at most one pair of least and greatest for each step of 2*factor samples, in the order in
// which they came: a peak of one sample stays visible however wide the step. A factor of 1 or less changes nothing.
func decimate(in []float32, factor int) []float32 {
	if factor <= 1 {
		return in
	}
	step := 2 * factor
	out := make([]float32, 0, 2*(len(in)/step+1))
	for len(in) > 0 {
		n := min(step, len(in))
		low, high := 0, 0
		for i, v := range in[:n] {
			// What is no number is shown as a hole, and a hole must not be decimated away.
			if math.IsNaN(float64(v)) {
				low, high = i, i
				break
			}
			if v < in[low] {
				low = i
			}
			if v > in[high] {
				high = i
			}
		}
		out = append(out, in[min(low, high)], in[max(low, high)])
		in = in[n:]
	}
	return out
}

// factorFor is the decimation that brings a sample period, in seconds, to at most rate samples a second.
func factorFor(period float64, rate int) int {
	if period <= 0 || rate <= 0 {
		return 1
	}
	return int(math.Ceil(1 / period / float64(rate)))
}
