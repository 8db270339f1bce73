// Package interop tests this stack against an independent one: sdc11073, written
// in Python, in both roles, over real sockets on loopback, without and with TLS.
//
// The peers are the programs in the folder python, run by the interpreter of the
// project's virtual environment (make venv). They validate everything they receive
// against the schemas and log what they refuse; a test fails on anything logged
// that is not known to be the peer's own doing.
//
// make venv installs one version of the peer. SDC_PEER_PYTHON names an interpreter with another: the programs run with
// 2.3 and later. Notes on older ones, all of them the peer's own: 2.2 cannot copy an entity of an Activate operation
// with arguments; before 2.2 there are no entities, and before 2.0 all names are others. Its provider of 1.x refuses a subscription
// as a whole for ObservedValueStream, which it does not have: our consumer then asks again without.
//
// Without the virtual environment the tests are skipped; with SDC_REQUIRE_PEER=1,
// as in continuous integration, they fail.
//
// A second independent stack, SDCri in Java, is met by the tests of sdcri_test.go. Its peers are in the folder java; make
// interop-sdcri installs the stack, compiles them and runs the tests, and needs a JDK and Maven. Continuous integration does not.
package interop
