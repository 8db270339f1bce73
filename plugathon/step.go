package plugathon

import (
	"fmt"
	"slices"
)

// Outcome of a step.
type Outcome string

const (
	// Pass says that the device did its part, and that it was seen.
	Pass Outcome = "pass"
	// Fail says that it did not.
	Fail Outcome = "fail"
	// Skip says that there was nothing to try or to be seen: no proxy, no such operation, no start of the device while it was watched. The
	// evidence says why. Whether that is good enough is the caller's choice.
	Skip Outcome = "skip"
)

// Step is one step of the script.
type Step struct {
	ID, Title string
}

// Result is what came of a step.
type Result struct {
	Step
	Outcome Outcome
	// Evidence says what was seen or missed.
	Evidence string
}

// Steps lists the script in its order.
func Steps() []Step {
	return []Step{
		{"1a", "Hello is seen"},
		{"1b", "Probe and Resolve are answered"},
		{"1c", "Hello is seen through a discovery proxy"},
		{"1d", "Probe and Resolve are answered by a discovery proxy"},
		{"2a", "the metadata is read"},
		{"2b", "subscriptions of at most 15 s are renewed in time"},
		{"3a", "the MDIB is read"},
		{"3b", "there is a location context state"},
		{"4a", "5 numeric metric updates in 30 s"},
		{"4b", "5 string metric updates in 30 s"},
		{"4c", "5 alert condition updates in 30 s"},
		{"4d", "5 alert signal updates in 30 s"},
		{"4e", "every alert system checks itself at its period"},
		{"4f", "3 waveforms of 10 messages a second with 100 samples"},
		{"4g", "5 clock or battery and 5 MDS or VMD updates in 30 s"},
		{"4h", "5 operation state updates in 30 s"},
		{"4i", "1 waveform of 2 messages a second with 50 samples"},
		{"5a", "concept descriptions, causes and units change every 10 s"},
		{"5b", "a VMD is inserted and removed"},
		{"6b", "SetContextState makes a patient, pre-associated and associated"},
		{"6c", "SetValue finishes at once with one report"},
		{"6d", "SetString waits, starts and finishes"},
		{"6e", "SetMetricState sets two metrics at once"},
		{"6f", "Activate joins three arguments"},
		{"7a", "the supported languages are told"},
		{"7b", "texts are had by language"},
		{"7c", "texts are had by language and version"},
	}
}

// unknownSteps is an error if ids has others than those of the script.
func unknownSteps(ids []string) error {
	for _, id := range ids {
		if !slices.ContainsFunc(Steps(), func(s Step) bool { return s.ID == id }) {
			return fmt.Errorf("there is no step %q", id)
		}
	}
	return nil
}

// verdict is an outcome with its evidence.
type verdict struct {
	outcome  Outcome
	evidence string
}

func passf(format string, args ...any) verdict { return verdict{Pass, fmt.Sprintf(format, args...)} }
func failf(format string, args ...any) verdict { return verdict{Fail, fmt.Sprintf(format, args...)} }
func skipf(format string, args ...any) verdict { return verdict{Skip, fmt.Sprintf(format, args...)} }

// judge is a pass if good, a failure otherwise, with the same evidence.
func judge(good bool, format string, args ...any) verdict {
	if good {
		return passf(format, args...)
	}
	return failf(format, args...)
}
