package cli

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"authbird/clients"
	"authbird/flows"
	"authbird/state"
)

// options are the values of all flags, after environment twins.
type options struct {
	setup                       string
	authentikURL, netbirdURL    string
	authentikToken, netbirdFile string // files that hold the tokens
	caFile                      string
	allowHTTP                   bool
	keystore, keystoreIdentity  string
	stateDir                    string
	yes, json                   bool
	accessible, plain           bool
	trace                       string
	timeout                     time.Duration
	sandbox                     bool

	name, slug                    string
	authorizationFlow, signingKey string
	allowGroups                   []string
	groupSync                     string
	letIn                         []string
	connectorName, connectorType  string
	adopt, keepAdminTokens        bool
	restartCommand                string

	from string // a list of setups
	jobs int

	netbirdDomain, serviceAccount string
	envFile, envSecret            string
	rights, redirectMode          string
	netbirdConfig                 string
	force, deviceFlow             string
	wait                          time.Duration
	rotateEvery                   int
	all, allDue, leak             bool

	authentikPort, netbirdPort       int
	authentikVersion, netbirdVersion string
	latency                          time.Duration
	fresh                            bool

	doctor doctorOptions
}

// mostDays is the longest that a credential may be said to live.
const mostDays = 3650

// defaultTimeout bounds each request.
const defaultTimeout = 20 * time.Second

// common declares the flags that every verb has.
func (o *options) common(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.setup, "setup", "", "name of the setup; by default NetBird's host")
	f.StringVar(&o.authentikURL, "authentik-url", "", "where Authentik is, such as https://auth.example.com")
	f.StringVar(&o.netbirdURL, "netbird-url", "", "where NetBird is, such as https://netbird.example.com")
	f.StringVar(&o.authentikToken, "authentik-token-file", "", "file with Authentik's API token; - is standard input")
	f.StringVar(&o.netbirdFile, "netbird-token-file", "", "file with NetBird's access token; - is standard input")
	f.StringVar(&o.caFile, "ca-file", "", "PEM file of certificate authorities to trust besides the system's")
	f.BoolVar(&o.allowHTTP, "allow-http", false, "allow http to other machines")
	f.Var(choice(&o.keystore, "keyring", "file", "env"), "keystore", "where secrets are kept: keyring, file or env")
	f.StringVar(&o.keystoreIdentity, "keystore-identity", "", "age or SSH private key file that opens the encrypted file, instead of a passphrase")
	f.StringVar(&o.stateDir, "state-dir", "", "folder of the state; by default $XDG_STATE_HOME/authbird")
	f.BoolVar(&o.yes, "yes", false, "ask nothing and take the documented defaults")
	f.BoolVar(&o.json, "json", false, "one JSON object a line on standard output; asks nothing")
	f.BoolVar(&o.accessible, "accessible", false, "questions line by line, for screen readers")
	f.BoolVar(&o.plain, "plain", false, "plain lines instead of the full screen")
	f.StringVar(&o.trace, "trace", "", "write every HTTP exchange to this file, without bodies and tokens; begun anew by each run")
	f.DurationVar(&o.timeout, "timeout", defaultTimeout, "longest wait for each request")
	f.BoolVar(&o.sandbox, "sandbox", false, "run against simulated servers, with a throw-away state and keystore")
}

// modeFlags declares the flags of a setup in that mode.
func (o *options) modeFlags(mode state.Mode) func(*pflag.FlagSet) {
	if mode == state.Standalone {
		return o.standalone
	}
	return o.connector
}

// list declares where many setups are read from.
func (o *options) list(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.from, "from", "", "set up everything that this list (YAML) names; no secret stands in it")
	f.IntVar(&o.jobs, "jobs", defaultJobs, "how many setups of the list are worked on at once")
}

// setupOnly are the flags that belong to one setup.
var setupOnly = []string{"name", "slug", "authorization-flow", "signing-key", "allow-group", "group-sync", "netbird-allow-group",
	"connector-name", "connector-type", "adopt", "keep-admin-tokens", "restart-command", "netbird-domain", "service-account",
	"env-file", "service-account-rights", "redirect-mode", "env-secret", "device-flow", "netbird-config"}

// application declares what both modes choose at Authentik.
func (o *options) application(f *pflag.FlagSet) {
	f.SortFlags = false
	d := defaults
	f.StringVar(&o.name, "name", d.Name, "name of the provider and the application in Authentik")
	f.StringVar(&o.slug, "slug", d.Slug, "slug of the application in Authentik")
	f.StringVar(&o.authorizationFlow, "authorization-flow", "", "slug of Authentik's authorization flow")
	f.StringVar(&o.signingKey, "signing-key", "", "name of the key in Authentik that signs")
	o.groupFlags(f)
}

// groupFlags declares who may log in, and what NetBird does with groups.
func (o *options) groupFlags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringArrayVar(&o.allowGroups, "allow-group", nil, "let only this group of Authentik in; may be given more than once; empty: everyone")
	f.Var(choice(&o.groupSync, flows.GroupSyncOn, flows.GroupSyncOff), "group-sync", "on: NetBird takes a person's groups over from Authentik with each login; off: it does not; by default its settings stay as they are")
	f.StringArrayVar(&o.letIn, "netbird-allow-group", nil, "with --group-sync on: NetBird lets only this group in; may be given more than once; empty: everyone")
}

// standalone declares the flags of a standalone setup.
func (o *options) standalone(f *pflag.FlagSet) {
	o.application(f)
	f.StringVar(&o.netbirdDomain, "netbird-domain", "", "NetBird's domain, such as netbird.example.com")
	f.StringVar(&o.serviceAccount, "service-account", defaults.ServiceAccount, "name of the service account in Authentik")
	f.StringVar(&o.envFile, "env-file", defaults.EnvFile, "setup.env to write NetBird's values into; what else stands in it stays")
	f.Var(choice(&o.rights, flows.RightsAdmins, flows.RightsLeast), "service-account-rights",
		"admins: member of authentik Admins, as documented; least: may read users, and nothing else")
	f.Var(choice(&o.redirectMode, flows.RedirectsDocumented, flows.RedirectsStrict), "redirect-mode",
		"documented: a pattern for everything below the domain; strict: just the addresses that NetBird uses")
	f.Var(choice(&o.envSecret, flows.EnvSecretWrite, flows.EnvSecretOmit), "env-secret",
		"write: the app password goes into setup.env; omit: authbird env gives it")
	f.Var(choice(&o.deviceFlow, flows.DeviceFlowKeep, flows.DeviceFlowReplace), "device-flow",
		"what is done about a device code flow that the brand has already: keep or replace")
	f.StringVar(&o.netbirdConfig, "netbird-config", "", "management.json to patch, for a NetBird that is set up already")
	o.consent(f)
}

// connector declares the flags of a connector setup.
func (o *options) connector(f *pflag.FlagSet) {
	o.application(f)
	d := defaults
	f.StringVar(&o.connectorName, "connector-name", d.ConnectorName, "name of the connector on NetBird's login page")
	f.Var(choice(&o.connectorType, "authentik", "oidc"), "connector-type", "type of the connector: authentik or oidc")
	o.consent(f)
}

// consent declares what a setup and its resumption both need a word about.
func (o *options) consent(f *pflag.FlagSet) {
	f.BoolVar(&o.adopt, "adopt", false, "take over objects that stand in the way and were not made by authbird")
	f.BoolVar(&o.keepAdminTokens, "keep-admin-tokens", false, "keep both admin tokens in the keystore")
	o.restart(f)
}

// restart declares what the renewal of a secret needs to know, for a setup too.
func (o *options) restart(f *pflag.FlagSet) {
	f.StringVar(&o.restartCommand, "restart-command", "", "command that restarts NetBird, run by sh -c when a secret is renewed; kept for the setup")
	f.IntVar(&o.rotateEvery, "rotate-every", flows.RotateEvery, "days after which a credential is due for renewal; kept for the setup")
}

// waiting declares how a restart is waited for.
func (o *options) waiting(f *pflag.FlagSet) {
	f.DurationVar(&o.wait, "wait", flows.DefaultWait, "longest wait for NetBird's restart")
}

// rotation declares the flags of a renewal.
func (o *options) rotation(f *pflag.FlagSet) {
	f.SortFlags = false
	o.restart(f)
	o.waiting(f)
	f.StringVar(&o.netbirdConfig, "netbird-config", "", "management.json to write a new app password into; by default the setup's")
}

// defaults are the names that the documentation of both servers uses.
var defaults = struct{ Name, Slug, ConnectorName, ConnectorType, ServiceAccount, EnvFile string }{"NetBird", "netbird", "Authentik", "authentik", "Netbird", "setup.env"}

// check refuses what no verb can use.
func (o *options) check(given map[string]string) error {
	if o.timeout <= 0 {
		return usagef("%s must be longer than nothing", flagOr("timeout", given))
	}
	for flag, url := range map[string]*string{"authentik-url": &o.authentikURL, "netbird-url": &o.netbirdURL} {
		if *url == "" {
			continue
		}
		base, err := o.serverURL(*url)
		if err != nil {
			return usagef("%s: %v", flagOr(flag, given), err)
		}
		*url = base
	}
	if o.netbirdDomain != "" {
		host, err := flows.Domain(o.netbirdDomain)
		if err != nil {
			return usagef("%s: %v", flagOr("netbird-domain", given), err)
		}
		o.netbirdDomain = host
	}
	if given["wait"] != "" && o.wait <= 0 {
		return usagef("%s must be longer than nothing", flagOr("wait", given))
	}
	if given["rotate-every"] != "" && (o.rotateEvery < 1 || o.rotateEvery > mostDays) {
		return usagef("%s is a number of days, from 1 to %d", flagOr("rotate-every", given), mostDays)
	}
	if o.caFile != "" {
		if _, err := clients.New(clients.Options{CAFile: o.caFile}); err != nil {
			return usagef("%s: %v", flagOr("ca-file", given), err)
		}
	}
	if o.authentikToken == "-" && o.netbirdFile == "-" {
		return usagef("--authentik-token-file and --netbird-token-file can't both be standard input")
	}
	if o.keystoreIdentity != "" && o.keystore != "" && o.keystore != "file" {
		return usagef("%s opens the encrypted file; it does not go with --keystore %s", flagOr("keystore-identity", given), o.keystore)
	}
	return o.checkSandbox(given)
}

// serverURL makes the address that somebody typed into one that is used.
func (o *options) serverURL(typed string) (string, error) {
	base, err := clients.BaseURL(typed)
	if err != nil {
		return "", err
	}
	if !o.allowHTTP && clients.InsecureBeyondLoopback(base) {
		return "", fmt.Errorf("%s would carry tokens over the network unencrypted; use https, or say --allow-http", base)
	}
	return base, nil
}

// checkSandbox refuses flags that --sandbox would have to ignore. Their
// environment twins it does ignore: they belong to the real servers.
func (o *options) checkSandbox(given map[string]string) error {
	if !o.sandbox {
		return nil
	}
	for _, flag := range []string{"authentik-url", "netbird-url", "authentik-token-file", "netbird-token-file", "state-dir", "ca-file"} {
		if given[flag] == byFlag {
			return usagef("--sandbox brings its own servers, tokens and state; leave out --%s", flag)
		}
	}
	if o.keystore == "keyring" && given["keystore"] == byFlag {
		return usagef("--sandbox keeps its secrets in memory; leave out --keystore keyring")
	}
	return nil
}

// overlay puts what was given by flag or environment over answers.
func (o *options) overlay(a *state.Answers, given map[string]string) {
	set := func(flag string, put func()) {
		if given[flag] != "" {
			put()
		}
	}
	set("authentik-url", func() { a.AuthentikURL = o.authentikURL })
	set("netbird-url", func() { a.NetBirdURL = o.netbirdURL })
	set("ca-file", func() { a.CAFile = absolute(o.caFile) })
	set("allow-http", func() { a.AllowHTTP = o.allowHTTP })
	set("keystore", func() { a.Keystore = o.keystore })
	set("keystore-identity", func() { a.KeystoreIdentity = o.keystoreIdentity })
	set("name", func() { a.Name = o.name })
	set("slug", func() { a.Slug = o.slug })
	set("authorization-flow", func() { a.AuthorizationFlow = o.authorizationFlow })
	set("signing-key", func() { a.SigningKey = o.signingKey })
	set("allow-group", func() { a.AllowGroups = notEmpty(o.allowGroups...) })
	set("group-sync", func() { a.GroupSync = o.groupSync })
	set("netbird-allow-group", func() { a.LetIn = notEmpty(o.letIn...) })
	set("connector-name", func() { a.ConnectorName = o.connectorName })
	set("connector-type", func() { a.ConnectorType = o.connectorType })
	set("keep-admin-tokens", func() { a.KeepAdminTokens = o.keepAdminTokens })
	set("restart-command", func() { a.RestartCommand = o.restartCommand })
	set("rotate-every", func() { a.RotateEvery = o.rotateEvery })
	if a.Mode == state.Standalone {
		o.overlayStandalone(a, set)
	}
}

// overlayStandalone is overlay for what only that mode has. Files are named
// absolutely, because a later run may start in another folder.
func (o *options) overlayStandalone(a *state.Answers, set func(string, func())) {
	set("netbird-domain", func() { a.NetBirdDomain = o.netbirdDomain })
	set("service-account", func() { a.ServiceAccount = o.serviceAccount })
	set("env-file", func() { a.EnvFile = o.envFile })
	set("service-account-rights", func() { a.Rights = o.rights })
	set("redirect-mode", func() { a.RedirectMode = o.redirectMode })
	set("device-flow", func() { a.DeviceFlow = o.deviceFlow })
	set("env-secret", func() { a.EnvSecret = o.envSecret })
	set("netbird-config", func() { a.NetBirdConfig = o.netbirdConfig })
	if a.NetBirdDomain == "" {
		a.NetBirdDomain = hostOf(a.NetBirdURL)
	}
	a.EnvFile, a.NetBirdConfig = absolute(a.EnvFile), absolute(a.NetBirdConfig)
}

// absolute is a path that a later run finds from any folder; empty stays so.
func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if path == "" || err != nil {
		return path
	}
	return abs
}

// hostOf is the host of a URL; empty of none.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// choices is a flag that takes one of a few words.
type choices struct {
	value *string
	words []string
}

func choice(value *string, words ...string) *choices { return &choices{value, words} }

func (c *choices) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c *choices) Type() string { return strings.Join(c.words, "|") }

func (c *choices) Set(s string) error {
	for _, w := range c.words {
		if s == w {
			*c.value = s
			return nil
		}
	}
	last := len(c.words) - 1
	return fmt.Errorf("it is %s or %s", strings.Join(c.words[:last], ", "), c.words[last])
}
