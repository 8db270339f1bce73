// Package monitor is a simulated patient monitor: ECG, pulse oximetry, invasive and cuff
// pressure, temperatures and capnography. Every number is derived from the same samples
// that are sent as waveforms, by the detectors of package measure.
package monitor
