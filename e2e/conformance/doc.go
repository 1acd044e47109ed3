// Package conformance keeps the simulated servers honest. The rest of
// authbird's tests believe what authbird/sim answers; here the same calls go to
// a real NetBird and to the simulated one, and the answers must agree. It
// promises nothing of calls that it doesn't make: to rely on a behaviour of the
// simulator that isn't in here, or in a recording, add it here first.
package conformance
