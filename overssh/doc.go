// Package overssh holds the proof that authbird works over SSH as it does at
// home: it has no code of its own, only tests, and overssh/run runs them.
//
// They start an OpenSSH server of their own on a loopback port, log in to it
// with the ssh client in a pseudo-terminal, and drive the authbird binary there
// against both simulated servers, as a person would: poor terminals and small
// ones, resized in the middle; a line of 9,600 baud; a line that drops at every
// screen; an interactive shell and a tmux around it, which must be left as they
// were, with no secret in their history.
//
// It promises nothing about other SSH servers and clients, or about how a
// terminal looks to an eye: what is compared is what an emulator has drawn.
package overssh
