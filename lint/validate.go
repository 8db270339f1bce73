package lint

// validateRules lists what mdib.Validate checks, for documentation and SARIF.
func validateRules() []Rule {
	base := func(id, title string) Rule { return Rule{ID: id, Profile: Base, Title: title} }
	return []Rule{
		base("GLUE R0010_0", "Every MDS owns a clock with a state."),
		base("GLUE R0011", "A metric value has a determination time."),
		base("GLUE R0012_0_0", "A present alert condition has a determination time."),
		base("GLUE R0013", "A context state with a binding version has a binding start time."),
		base("GLUE R0072", "A context state with an unbinding version has a binding end time."),
		base("GLUE R0080", "MDS, VMD, channel, operation, alert condition and metric descriptors have a type."),
		base("BICEPS B-6_0", "The target of an operation lies below the owner of its SCO."),
		base("BICEPS B-284_0", "An MDS state names an operating jurisdiction only if the descriptor lists approved ones."),
		base("BICEPS B-402_0", "A VMD state names an operating jurisdiction only if the descriptor lists approved ones."),
		base("BICEPS B-128", "SystemSignalActivation summarises the local signals of each manifestation."),
		base("BICEPS R0025_0", "Below a component that is off, everything is off and operations are not available."),
		base("BICEPS R0029_0", "A condition is present only while it and its alert system are on."),
		base("BICEPS R0116", "An alert system that is off or paused forces the same on its conditions and signals."),
		base("BICEPS R0124", "At most one patient is associated."),
		base("BICEPS R0133", "At most one location is associated."),
		base("BICEPS R5006", "A localized text with a reference has a version."),
		base("BICEPS R5007", "The same reference and version of a localized text have the same content."),
		base("BICEPS R5048", "A localized text without reference has content."),
		base("BICEPS R5050", "A localized text without reference says its language."),
		base("BICEPS R5051", "A state refers to the version of its descriptor."),
		base("BICEPS alert lists", "The lists of present alarm conditions are exact."),
		base("BICEPS schema", "Enumerations have values of theirs, and nothing required is left out."),
		base("BICEPS references", "What a handle reference names is there."),
		base("BICEPS validity: no value", "A metric whose validity is Ong or NA has no value."),
	}
}
