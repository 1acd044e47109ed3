// Package sshd is `authbird serve`: the screens for people who come by SSH with
// a public key that the operator listed.
//
// It promises that nothing but the screens can be had here: no password, no
// command, no file transfer, no forwarding of any kind, and nothing of the
// client's environment but what says how its terminal draws. Each key has a
// state folder of its own, named after the key and never after what the client
// calls itself. What a person may say reaches the two servers and that folder:
// no file, command or token of the operator's. Every session is written down
// before it begins, without a secret, and a session that can't be written down
// does not begin.
//
// However a session ends (left, line dropped, idle, out of time, the server
// told to stop), its run stops between two steps or finishes the one that had
// begun, and the next login goes on from there.
//
// A number stands against each thing that a stranger can make more of:
// connections without a login, failed logins of one address, sessions, sessions
// of one key, channels of one connection, bytes typed.
//
// It refuses to start on anything that it would have to guess about: a line of
// the keys file that it can't read or an option that it doesn't keep, a host key
// that others can read, a file that others can write to.
package sshd
