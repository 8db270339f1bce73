package lint

// validateRules lists what mdib.Validate checks, for documentation and SARIF.
func validateRules() []Rule {
	rule := func(id, title string) Rule { return Rule{ID: id, Profile: base, Title: title} }
	return []Rule{
		rule("GLUE R0010_0", "Every MDS owns a clock with a state."),
		rule("GLUE R0011", "A metric value has a determination time."),
		rule("GLUE R0012_0_0", "A present alert condition has a determination time."),
		rule("GLUE R0013", "A context state with a binding version has a binding start time."),
		rule("GLUE R0072", "A context state with an unbinding version has a binding end time."),
		rule("GLUE R0080", "MDS, VMD, channel, operation, alert condition and metric descriptors have a type."),
		rule("BICEPS B-6_0", "The target of an operation lies below the owner of its SCO."),
		rule("BICEPS B-284_0", "An MDS state names an operating jurisdiction only if the descriptor lists approved ones."),
		rule("BICEPS B-402_0", "A VMD state names an operating jurisdiction only if the descriptor lists approved ones."),
		rule("BICEPS B-128", "SystemSignalActivation summarises the local signals of each manifestation."),
		rule("BICEPS R0025_0", "Below a component that is off, everything is off and operations are not available, nor are those on it that stand elsewhere."),
		rule("BICEPS R0029_0", "A condition is present only while it and its alert system are on."),
		rule("BICEPS R0116", "An alert system that is off or paused forces the same on its conditions and signals."),
		rule("BICEPS R0124", "At most one patient is associated."),
		rule("BICEPS R0133", "At most one location is associated."),
		rule("BICEPS R5006", "A localized text with a reference has a version."),
		rule("BICEPS R5007", "The same reference and version of a localized text have the same content."),
		rule("BICEPS R5048", "A localized text without reference has content."),
		rule("BICEPS R5050", "A localized text without reference says its language."),
		rule("BICEPS R5051", "A state refers to the version of its descriptor."),
		rule("BICEPS alert lists", "The lists of present alarm conditions are exact."),
		rule("BICEPS schema", "Enumerations have values of theirs, and nothing required is left out."),
		rule("BICEPS references", "What a handle reference names is there."),
		rule("BICEPS validity: no value", "A metric whose validity is Ong or NA has no value."),
	}
}
