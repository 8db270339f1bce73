// Package workflow lets several devices do something together: check, confirm, invoke, hold, await, and undo whatever was done when
// something goes wrong.
//
//	w, err := workflow.Parse(data)
//	result, err := workflow.Run(ctx, workflow.Options{Workflow: w, World: workflow.OnStation(s), Human: human, Audit: audit})
//
// A [Workflow] is data: YAML by a strict schema, or a Go literal, in which conditions may be functions. It sees the devices through
// [station.View], by meaning: codes, with freshness. What is stale, former, old or invalid is not known, and what is
// not known never counts as safe: a condition about it is [Unknown], which does not let a step go on and does violate a guard.
//
// # What always holds
//
//   - Before an operation is invoked, what undoes it is put on a stack: an operation whose outcome is not known is undone as well.
//   - However a workflow ends but well, the stack is run from the top, and again as far as need be, also after the context has been
//     cancelled, after links were lost, and whatever a step before it did. What could not be undone makes the outcome [Unsafe], and people are told.
//   - A hold is a lease. Only operations that the device ends by itself (InvocationEffectiveTimeout) can be held; the engine renews them, and
//     stops to when it fails. An orchestrator that dies, or a network that is cut, thus frees the device without anybody's help, and
//     limits of the device's own bound what an orchestrator gone wild can do. The engine cannot promise either; the device does, and the
//     engine refuses to hold what has no lease.
//   - The devices that take part are bound once. If one of them is lost, restarts at another place or with another patient, the
//     workflow fails; it never goes on with another device.
//   - Every decision is in the audit with the values it was made on, before it is carried out. If the audit cannot be written, nothing
//     more is done but to undo.
//
// Time is the package time's: under testing/synctest a run is deterministic.
package workflow
