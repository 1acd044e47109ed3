// Package matrix holds the proof of authbird's one promise: whatever happens
// at whatever moment, running again ends where an undisturbed run ends, with no
// duplicate, no orphan, no lost secret and nothing foreign touched.
//
// It has no code of its own, only tests, and they take minutes: matrix/run runs
// them and says how many cases there were and how many converged. They start
// the authbird binary as a process, against both simulated servers, and let one
// thing go wrong in it: at each HTTP request of a flow it is killed, sent a
// signal or left without an answer; at each change of a file it is killed,
// refused by the disk or torn in the middle of a write. Between two runs the
// disk turns read-only, secrets vanish and lines of the journal are torn. Then
// authbird runs again until it says that it is done.
//
// What is disturbed are setups in both modes, renewals of each credential, and
// removals. Some suffer everything at each moment, their variants a part of it in
// turn; with AUTHBIRD_MATRIX=all nothing is left out, which takes hours.
//
// The lists of requests and of file changes come from an undisturbed run, so a
// new step is in the matrix without a new row.
//
// It promises nothing about what no disturbance reaches: two runs at once are
// the lock's matter, and a server that loses its data is no interruption.
package matrix
