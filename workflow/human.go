package workflow

import "context"

// Human is the person who answers for the workflow.
type Human interface {
	// Confirm asks a question and returns the answer; ctx ends when it is too late or no longer of interest. Who answered is for the audit.
	Confirm(ctx context.Context, question string) (yes bool, who string, err error)
	// Alarm tells of something that a person must see to now: what could not be undone.
	Alarm(text string)
}
