// Package light is a simulated surgical light: intensity, colour temperature, and a mode for endoscopy in which it only
// lightens the room. Its head grows warm, and it dims itself when it is too warm.
//
// Nothing here has a code in the nomenclature of ISO/IEEE 11073-10101; all concepts but units carry private codes.
package light
