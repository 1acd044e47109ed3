// Package facts holds what was read of an Authentik and a NetBird, and reads
// it: in as few waves of parallel requests as the dependencies allow. Nobody
// else reads the servers to decide something.
//
// A fact that could not be read keeps the error instead of a value; deciding
// what that means is left to the checks and steps. Reading changes nothing,
// with two exceptions that are asked for by name: the create at NetBird that
// must be refused (Ask.Reach), and the start of a login, which opens the
// connector (Proof.Open).
package facts

import (
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
)

// Fact is one thing that was read, or the reason why it could not be.
type Fact[T any] struct {
	Value T
	Err   error
	Read  bool // asked at all; a fact nobody asked for has neither value nor error
}

// OK says that the fact was read and holds a value.
func (f Fact[T]) OK() bool { return f.Read && f.Err == nil }

// Absent says that the server was asked and has no such thing.
func (f Fact[T]) Absent() bool { return f.Read && clients.KindOf(f.Err) == clients.Absent }

// Of is the fact that a call's answer makes.
func Of[T any](v T, err error) Fact[T] { return Fact[T]{Value: v, Err: err, Read: true} }

// Ask is what to look for.
type Ask struct {
	Name       string   // of the provider
	Slug       string   // of the application
	ClientID   string   // of our provider; empty before it is made
	Stands     bool     // the application is known to stand: its discovery is read in the first wave
	SigningKey string   // by name; empty: any RSA key will do
	Groups     []string // by name
	Bound      bool     // the application is restricted to groups: its bindings are read
	Reach      bool     // ask NetBird, harmlessly, whether it reaches Authentik
	Account    bool     // read NetBird's account, which standalone mode else leaves alone
	Admins     bool     // read who administers NetBird and, where groups decide who gets in, which groups they have
	LetIn      []string // the groups that NetBird shall let in, and nobody else; empty: as its account has it

	// Standalone is set in that mode. NetBird itself is not asked then: it may
	// not run yet.
	Standalone *StandaloneAsk
}

// StandaloneAsk is what else a standalone setup looks for.
type StandaloneAsk struct {
	ServiceAccount string   // user name
	Roles          []string // by name, for the least rights
	Known          bool     // it stands: what only a plan needs is not read
}

// Facts is everything that was read of one setup's two servers.
type Facts struct {
	Ask       Ask
	Authentik Authentik
	NetBird   NetBird
	Proof     Proof
	Local     Local
	At        time.Time // when the reading began, by the clock here
}

// Authentik is what Authentik's API said.
type Authentik struct {
	Hello       Fact[authentik.Hello] // who answers, its clock and certificate
	Me          Fact[authentik.Me]
	Version     Fact[string]
	Flows       Fact[[]authentik.Flow]
	Mappings    Fact[[]authentik.ScopeMapping]
	Keys        Fact[[]authentik.KeyPair]
	Providers   Fact[[]authentik.Provider] // those of our client id or, before there is one, of our name
	Application Fact[authentik.Application]
	Tokens      Fact[[]authentik.Token]            // API tokens, the own ones among them
	moreTokens  bool                               // there are others than these
	Groups      map[string]Fact[[]authentik.Group] // by the names asked for
	Bindings    Fact[[]authentik.Binding]          // of the application, where it is restricted
	Discovery   Fact[oidc.Discovery]

	// In standalone mode only.
	Account      Fact[authentik.User]              // the service account
	Passwords    Fact[[]authentik.Token]           // its app passwords
	AccountToken Fact[authentik.Token]             // the token that Authentik would make with it, whoever has it
	Roles        map[string]Fact[[]authentik.Role] // by the names asked for
	Permissions  Fact[[]string]                    // of the role asked for
	Brand        Fact[authentik.CurrentBrand]      // in force at this Authentik's address
	Brands       Fact[[]authentik.Brand]

	// In an examination only.
	Events Fact[[]authentik.Event] // the newest logins to applications
	Access Fact[authentik.Access]  // whether the service account may open the application
}

// NetBird is what NetBird's API and its embedded IdP said.
type NetBird struct {
	Instance  Fact[netbird.Instance]
	Version   Fact[string]
	Accounts  Fact[[]netbird.Account]
	Me        Fact[netbird.User]    // whom the token belongs to, a person or a service user
	Users     Fact[[]netbird.User]  // all; read only where the way in is asked for
	Admins    []Admin               // only where Ask.Admins, and in an examination the owner where groups decide
	Groups    Fact[[]netbird.Group] // only where Ask.Admins, and by ProveGroups, and in an examination where groups come with logins
	Providers Fact[[]netbird.IdentityProvider]
	Embedded  Fact[netbird.EmbeddedIdP]
	Reach     Fact[netbird.Reach] // whether NetBird reaches Authentik

	// In an examination, and for the renewal of the token.
	Tokens  Fact[[]netbird.Token]  // of whom the token belongs to
	OldPort Fact[netbird.Instance] // at the port that the API had of old; asked where it doesn't answer
}

// Proof is what shows that a finished setup works.
type Proof struct {
	Redirects []Redirect // standalone: each redirect URI that NetBird uses
	Keys      Fact[[]oidc.Key]
	Allowed   Fact[oidc.Authorization] // our redirect URI
	Refused   Fact[oidc.Authorization] // a look-alike of it
	Twin      Redirect                 // standalone: one that only a pattern with a bare dot allows
	Secret    Fact[oidc.SecretProbe]
	Token     Fact[oidc.ServiceToken]  // standalone: the service account's, as NetBird gets it
	Users     Fact[[]authentik.User]   // standalone: the users that NetBird would see with that token
	Device    Fact[oidc.Device]        // standalone: a device login that was begun
	Start     Fact[netbird.LoginStart] // where a real login start leads
	Claims    Fact[map[string]any]     // those of the token's own user, where groups are proven
}

// Redirect is what Authentik makes of one redirect URI.
type Redirect struct {
	URI string
	Fact[oidc.Authorization]
}

// Local is what this machine knows: the keystore and the journal.
type Local struct {
	ClientSecret Fact[string]
	AppPassword  Fact[string]
	Renewed      Fact[string]   // what a rotation made and is not in force yet
	EnvFile      Fact[[]byte]   // setup.env, where one is named
	Docker       Fact[struct{}] // an error says what of Docker and Compose is lacking; standalone only
	AtRisk       Fact[string]   // what a run of configure.sh would do to the key of NetBird's database; "" nothing; standalone only
	Management   Fact[[]byte]   // management.json, where one is named
	Log          Fact[[]byte]   // the end of NetBird's log, where one is named
}
