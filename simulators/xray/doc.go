// Package xray is a simulated X-ray device. It has the two steps of a real one: preparing starts the tube, and only once it
// is ready can an exposure be made. It does not stay ready for long, and the interlock of the room ends whatever it does.
//
// The image is blurred by what moves while it is made: the device measures the flow of gas in the airway of the patient at its bed
// during an exposure and tells the largest, so that whoever had the ventilation paused for it can see whether that was so.
//
// Nothing here has a code in the nomenclature of ISO/IEEE 11073-10101; all concepts but units carry private codes.
package xray
