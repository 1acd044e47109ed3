// Package e2e tells authbird's journeys on real servers: the authbird program,
// built from the module above, is run as a person or a script runs it, against
// a NetBird server of the published release and an Authentik that is simulated
// or, where one is given, real.
//
// It promises that what passes here was seen from outside: by exit codes, by
// authbird's JSON, by both servers' APIs and by logins that end at NetBird's
// API. It looks into no package of authbird's. README.md says what is real,
// what is simulated, and how to run it.
package e2e
