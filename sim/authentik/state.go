package authentik

import (
	"slices"
	"time"
)

type user struct {
	PK                           int
	UUID, UID                    string
	Username, Name, Email        string
	Path, Type                   string
	Password                     string // "" is an unusable one
	Active                       bool
	Attributes                   map[string]any
	Roles                        []string // given to the user itself, by uuid
	Joined, PasswordSet, Changed time.Time
	LastLogin                    time.Time
}

type group struct {
	PK         string
	NumPK      int
	Name       string
	Superuser  bool
	Parents    []string
	Users      []int
	Roles      []string
	Attributes map[string]any
}

type role struct {
	PK, Name string
	// Permissions are app labels with code names: authentik_core.view_user.
	Permissions map[string]bool
}

type token struct {
	PK, Identifier, Intent, Key string
	Managed                     string
	User                        int
	Description                 string
	Expires                     time.Time // zero: none
	Expiring                    bool
	OwnerSees                   bool // its owner may view the key
}

type flow struct {
	PK, BindingPK                                 string
	Name, Slug, Title, Designation                string
	Background, PolicyMode, Layout, Denied, Authn string
	Compatible                                    bool
	Stages, Policies                              []string
}

type mapping struct {
	PK, Managed, Name, Expression, Scope, Description string
}

type redirectURI struct {
	Mode string `json:"matching_mode"`
	URL  string `json:"url"`
	// Type is shown from 2026.2 on.
	Type string `json:"-"`
}

type provider struct {
	PK                                            int
	Name                                          string
	AuthenticationFlow, AuthorizationFlow         string // pks, "" is null
	InvalidationFlow                              string
	Mappings                                      []string
	ClientType, ClientID, ClientSecret            string
	CodeValidity, AccessValidity, RefreshValidity string
	RefreshThreshold                              string
	ClaimsInIDToken                               bool
	SigningKey, EncryptionKey                     string
	RedirectURIs                                  []redirectURI
	LogoutURI, LogoutMethod                       string
	SubMode, IssuerMode                           string
	GrantTypes                                    []string
	FederationSources                             []string
	FederationProviders                           []int
}

type application struct {
	PK, Name, Slug                          string
	Provider                                int // 0 is null
	OpenInNewTab                            bool
	LaunchURL, Icon, Description, Publisher string
	PolicyMode, Group                       string
	Backchannel                             []int
	Hide                                    bool
}

type binding struct {
	PK, Target, Policy, Group string
	User                      int
	Negate, Enabled           bool
	Order, Timeout            int
	FailureResult             bool
}

type brand struct {
	UUID, Domain                          string
	Default                               bool
	Title, Logo, Favicon, CSS, Background string
	Flows                                 map[string]string // flow_authentication and the like → pk
	Application, Certificate              string
	ClientCertificates                    []string
	Attributes                            map[string]any
}

type event struct {
	PK, Action, App string
	User            map[string]any
	Context         map[string]any
	ClientIP        string
	Created         time.Time
	Brand           map[string]any
}

// state is everything that a server remembers.
type state struct {
	nextUser, nextProvider int

	users     map[int]*user
	usersBy   map[string]*user // username
	usersMail map[string][]int // e-mail, as given, to pks in order
	userOrder []*user          // by username, nil when it must be made anew

	groups    []*group
	groupsOf  map[int][]*group // user pk
	roles     []*role
	tokens    map[string]*token // identifier
	tokensKey map[string]*token
	tokensOf  map[int]int // how many each user has

	flows    []*flow
	mappings []*mapping
	keys     []*keyPair
	rsaKeys  int // RSA keys made so far
	brands   []*brand
	bindings []*binding
	events   []*event // oldest first

	providers  []*provider // in order of creation
	provByPK   map[int]*provider
	provByID   map[string]*provider // client id
	provByName map[string]*provider

	apps      []*application // in order of creation
	appByPK   map[string]*application
	appBySlug map[string]*application
	appByProv map[int]*application
	appOrder  []*application // by name, nil when it must be made anew
	appCache  map[string][]*application

	uidSalt   string
	sessions  map[string]*session
	codes     map[string]*grant // authorization code
	refresh   map[string]*grant
	access    map[string]*accessToken
	devices   map[string]*deviceCode // device code
	throttled map[string][]time.Time // address, when it asked for a device code
	consents  map[string]bool        // user and application and scopes
}

func newState() *state {
	return &state{
		nextProvider: 1,
		users:        map[int]*user{}, usersBy: map[string]*user{}, usersMail: map[string][]int{},
		groupsOf: map[int][]*group{},
		tokens:   map[string]*token{}, tokensKey: map[string]*token{}, tokensOf: map[int]int{},
		provByPK: map[int]*provider{}, provByID: map[string]*provider{}, provByName: map[string]*provider{},
		appByPK: map[string]*application{}, appBySlug: map[string]*application{}, appByProv: map[int]*application{},
		appCache: map[string][]*application{},
		sessions: map[string]*session{}, codes: map[string]*grant{}, refresh: map[string]*grant{},
		access: map[string]*accessToken{}, devices: map[string]*deviceCode{},
		throttled: map[string][]time.Time{}, consents: map[string]bool{},
	}
}

func (st *state) putUser(u *user) {
	st.users[u.PK] = u
	st.usersBy[u.Username] = u
	if u.Email != "" {
		st.usersMail[u.Email] = append(st.usersMail[u.Email], u.PK)
	}
	st.userOrder = nil
}

// dropUser removes a user, its tokens and its memberships.
func (st *state) dropUser(u *user) {
	delete(st.users, u.PK)
	delete(st.usersBy, u.Username)
	st.forgetMail(u)
	st.userOrder = nil
	for _, g := range st.groupsOf[u.PK] {
		g.Users = slices.DeleteFunc(g.Users, func(pk int) bool { return pk == u.PK })
	}
	delete(st.groupsOf, u.PK)
	if st.tokensOf[u.PK] > 0 {
		for _, t := range st.tokens {
			if t.User == u.PK {
				st.dropToken(t)
			}
		}
	}
	st.bindings = slices.DeleteFunc(st.bindings, func(b *binding) bool { return b.User == u.PK })
	for key, a := range st.access {
		if a.user == u.PK {
			delete(st.access, key)
		}
	}
}

func (st *state) forgetMail(u *user) {
	if left := slices.DeleteFunc(st.usersMail[u.Email], func(pk int) bool { return pk == u.PK }); len(left) > 0 {
		st.usersMail[u.Email] = left
	} else {
		delete(st.usersMail, u.Email)
	}
}

func (st *state) putToken(t *token) {
	st.tokens[t.Identifier] = t
	st.tokensKey[t.Key] = t
	st.tokensOf[t.User]++
}

func (st *state) dropToken(t *token) {
	delete(st.tokens, t.Identifier)
	delete(st.tokensKey, t.Key)
	st.tokensOf[t.User]--
}

func (st *state) join(g *group, pk int) {
	if !slices.Contains(st.groupsOf[pk], g) {
		g.Users = append(g.Users, pk)
		st.groupsOf[pk] = append(st.groupsOf[pk], g)
	}
}

func (st *state) leave(g *group, pk int) {
	g.Users = slices.DeleteFunc(g.Users, func(x int) bool { return x == pk })
	st.groupsOf[pk] = slices.DeleteFunc(st.groupsOf[pk], func(x *group) bool { return x == g })
}

func (st *state) putProvider(p *provider) {
	st.providers = append(st.providers, p)
	st.provByPK[p.PK], st.provByID[p.ClientID], st.provByName[p.Name] = p, p, p
}

// dropProvider removes a provider. Its application stays, linked to nothing.
func (st *state) dropProvider(p *provider) {
	st.providers = slices.DeleteFunc(st.providers, func(x *provider) bool { return x == p })
	delete(st.provByPK, p.PK)
	delete(st.provByID, p.ClientID)
	delete(st.provByName, p.Name)
	if a := st.appByProv[p.PK]; a != nil {
		a.Provider = 0
		delete(st.appByProv, p.PK)
	}
	for key, a := range st.access {
		if a.provider == p.PK {
			delete(st.access, key)
		}
	}
}

// changeProvider replaces p's content by n's and keeps the indexes right.
func (st *state) changeProvider(p, n *provider) {
	delete(st.provByID, p.ClientID)
	delete(st.provByName, p.Name)
	*p = *n
	st.provByID[p.ClientID], st.provByName[p.Name] = p, p
}

func (st *state) putApp(a *application) {
	st.apps = append(st.apps, a)
	st.appByPK[a.PK], st.appBySlug[a.Slug] = a, a
	if a.Provider != 0 {
		st.appByProv[a.Provider] = a
	}
	st.appOrder = nil
	st.forgetLists()
}

// dropApp removes an application and its bindings. Its provider stays.
func (st *state) dropApp(a *application) {
	st.apps = slices.DeleteFunc(st.apps, func(x *application) bool { return x == a })
	delete(st.appByPK, a.PK)
	delete(st.appBySlug, a.Slug)
	delete(st.appByProv, a.Provider)
	st.bindings = slices.DeleteFunc(st.bindings, func(b *binding) bool { return b.Target == a.PK })
	for _, b := range st.brands {
		if b.Application == a.PK {
			b.Application = ""
		}
	}
	st.appOrder = nil
	st.forgetLists()
}

// changeApp replaces a's content by n's and keeps the indexes right.
func (st *state) changeApp(a, n *application) {
	delete(st.appBySlug, a.Slug)
	delete(st.appByProv, a.Provider)
	*a = *n
	st.appBySlug[a.Slug] = a
	if a.Provider != 0 {
		st.appByProv[a.Provider] = a
	}
	st.appOrder = nil
	st.forgetLists()
}

// forgetLists empties the cache of the application lists, as saving an
// application, a binding or a membership does.
func (st *state) forgetLists() { clear(st.appCache) }

// find returns the first element that fits, or nil.
func find[T any](list []*T, fits func(*T) bool) *T {
	for _, x := range list {
		if fits(x) {
			return x
		}
	}
	return nil
}

func (st *state) group(pk string) *group {
	return find(st.groups, func(g *group) bool { return g.PK == pk })
}
func (st *state) role(pk string) *role {
	return find(st.roles, func(r *role) bool { return r.PK == pk })
}
func (st *state) flow(pk string) *flow {
	return find(st.flows, func(f *flow) bool { return f.PK == pk })
}
func (st *state) flowBySlug(slug string) *flow {
	return find(st.flows, func(f *flow) bool { return f.Slug == slug })
}
func (st *state) mapping(pk string) *mapping {
	return find(st.mappings, func(m *mapping) bool { return m.PK == pk })
}
func (st *state) key(pk string) *keyPair {
	return find(st.keys, func(k *keyPair) bool { return k.PK == pk })
}
func (st *state) brand(pk string) *brand {
	return find(st.brands, func(b *brand) bool { return b.UUID == pk })
}
