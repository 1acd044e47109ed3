// Package authentik is an Authentik server in memory: its API as far as
// connecting NetBird needs it, its OAuth2 provider, its login and its device
// flow, for the sandbox and for tests.
//
// It promises to answer as the recorded servers of testdata answer, quirks
// included: authentication failures are 403, unknown filters are ignored, the
// application list is cached without regard to filters, an empty list of
// redirect URIs takes the first one that comes. What a version added or
// changed appears from that version on. Tokens are signed for real.
//
// It refuses to be a server for anything else: policies other than group and
// user bindings, stages other than name, password and consent, sources,
// outposts and LDAP are not here, and nothing outlives the process. Property
// mappings are not evaluated: the managed ones are known by their identity,
// any other adds a scope without claims.
package authentik
