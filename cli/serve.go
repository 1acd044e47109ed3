package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"authbird/flows"
	"authbird/keystore"
	"authbird/sshd"
)

// serveOptions are serve's own flags.
type serveOptions struct {
	listen, keys, hostKey string
	allow                 []string
	limits                sshd.Limits
	onlyGiven             bool
}

func (a *app) serveVerb() *cobra.Command {
	o := serveOptions{limits: sshd.DefaultLimits}
	verb := &cobra.Command{
		Use:   "serve",
		Short: "the screens for people who come by SSH",
		Long: "Lets people in by SSH whose public keys you list, and shows them the screens; nothing else can be had: no password, no command, no files, no forwarding. " +
			"Each key has a state folder of its own, and every session is written down in serve/audit.jsonl in the state folder. " +
			"People bring their own tokens: yours are not used. --authentik-url, --netbird-url, --ca-file and --allow-http are what they begin with. " +
			"Secrets are kept in encrypted files, whose passphrase is asked once at the start or read from the file that AUTHBIRD_PASSPHRASE_FILE names. " +
			"SIGTERM and Ctrl-C stop it, each run between two steps. docs/serve.md tells the rest.",
		Example: "authbird serve --authorized-keys ~/.ssh/authorized_keys\n" +
			"authbird serve --sandbox --allow-key \"$(cat ~/.ssh/id_ed25519.pub)\"\n" +
			"ssh -p 23234 127.0.0.1",
		Args: noArguments,
		RunE: a.verb(func(ctx context.Context, _ []string) error { return a.serve(ctx, o) }),
	}
	f := verb.Flags()
	f.SortFlags = false
	f.StringVar(&o.listen, "listen", "127.0.0.1:23234", "address and port; any but this machine's own lets others reach it")
	f.StringVar(&o.keys, "authorized-keys", "", "file of the public keys that may log in, as sshd reads it; read again when it changes")
	f.StringArrayVar(&o.allow, "allow-key", nil, "one public key that may log in; may be given more than once")
	f.StringVar(&o.hostKey, "host-key", "", "file of the key that this server is known by, made where there is none; by default serve/host_ed25519 in the state folder")
	f.DurationVar(&o.limits.Idle, "idle-timeout", o.limits.Idle, "a session ends when nobody typed for so long")
	f.DurationVar(&o.limits.Total, "session-timeout", o.limits.Total, "a session ends after so long in any case")
	f.DurationVar(&o.limits.Login, "login-timeout", o.limits.Login, "a connection ends when nobody has logged in for so long")
	f.DurationVar(&o.limits.Stop, "stop-timeout", o.limits.Stop, "when told to stop, wait so long for steps that have begun")
	f.IntVar(&o.limits.Sessions, "max-sessions", o.limits.Sessions, "most sessions at a time")
	f.IntVar(&o.limits.PerKey, "max-sessions-per-key", o.limits.PerKey, "most sessions of one key at a time")
	f.BoolVar(&o.onlyGiven, "only-given-servers", false, "people may work with --authentik-url and --netbird-url alone, and reach no other address from here")
	return verb
}

// check refuses limits that would let nobody in, and flags that serve would have
// to ignore.
func (o *serveOptions) check(a *app) error {
	for flag, d := range map[string]time.Duration{"idle-timeout": o.limits.Idle, "session-timeout": o.limits.Total, "login-timeout": o.limits.Login, "stop-timeout": o.limits.Stop} {
		if d <= 0 {
			return usagef("%s must be longer than nothing", flagOr(flag, a.given))
		}
	}
	for flag, n := range map[string]int{"max-sessions": o.limits.Sessions, "max-sessions-per-key": o.limits.PerKey} {
		if n < 1 {
			return usagef("%s must be at least 1", flagOr(flag, a.given))
		}
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return usagef("%s is an address and a port, such as 127.0.0.1:23234", flagOr("listen", a.given))
	}
	for _, flag := range []string{"setup", "authentik-token-file", "netbird-token-file", "yes", "accessible", "plain"} {
		if a.given[flag] == byFlag {
			return &usageError{message: "--" + flag + " has no meaning for serve", hints: []string{"people who come by SSH choose for themselves, and bring their own tokens"}}
		}
	}
	if k := a.opts.keystore; k != "" && keystore.Kind(k) != keystore.File && !a.opts.sandbox {
		return &usageError{message: fmt.Sprintf("serve keeps everybody's secrets in encrypted files; leave out %s %s", flagOr("keystore", a.given), k),
			hints: []string{"a keyring or an environment of yours would be one for all who come"}}
	}
	return nil
}

// serve lets people in until it is told to stop, which is its good end.
func (a *app) serve(ctx context.Context, o serveOptions) error {
	if err := o.check(a); err != nil {
		return err
	}
	if err := a.enterSandbox(); err != nil {
		return err
	}
	bench, err := a.bench(nil)
	if err != nil {
		return err
	}
	so := sshd.Options{
		Listen: o.listen, KeysFile: o.keys, Allow: o.allow, HostKey: absolute(o.hostKey), StateDir: bench.State.Path(), Limits: o.limits,
		AuthentikURL: a.opts.authentikURL, NetBirdURL: a.opts.netbirdURL, CAFile: absolute(a.opts.caFile), AllowHTTP: a.opts.allowHTTP, OnlyGiven: o.onlyGiven,
		Bench: *bench, Keys: a.serveKeys(), Version: versionOf(a.Version), Sandbox: a.world != nil,
		GiveUp: a.stop.giveUp, Say: a.note, Rand: a.Rand, Location: time.Local,
	}
	if a.world != nil {
		so.SimulateLogin = a.simulatedLogin
		so.Tokens = flows.Tokens{Authentik: a.world.AuthentikToken, NetBird: a.world.NetBirdToken}
	}
	s, err := sshd.New(so)
	if err != nil {
		return ofServe(err)
	}
	if err := s.Unlock(ctx); err != nil {
		return errors.Join(fmt.Errorf("open the keystore: %w", err), s.Close())
	}
	a.tellServing(s)
	return ofServe(s.Serve(ctx))
}

// ofServe says of a wrong flag that it is one.
func ofServe(err error) error {
	var e *sshd.Error
	if errors.As(err, &e) && e.Usage {
		return &usageError{message: e.Message, hints: e.Hints}
	}
	return err
}

// serveKeys opens everybody's keystore with what opens the first: a key file, the
// passphrase's file, or what a person typed once.
func (a *app) serveKeys() func(dir string) keystore.Options {
	var typed string
	ask := a.askerFor(a.lineAsks())
	once := func(ctx context.Context, q keystore.Question) (string, error) {
		var err error
		switch {
		case typed != "" && q.Again:
			return "", keystore.ErrPassphrase
		case typed == "":
			typed, err = ask(ctx, q)
		}
		return typed, err
	}
	if ask == nil {
		once = nil
	}
	return func(dir string) keystore.Options {
		k := a.keystoreOptions(keystore.File, dir, once)
		if a.world != nil {
			k = a.keystoreOptions(keystore.Env, dir, nil)
		}
		k.Getenv = func(name string) string {
			if (name == keystore.PassphraseFile || name == "CREDENTIALS_DIRECTORY") && a.world == nil {
				return a.Getenv(name)
			}
			return "" // a secret in the operator's environment is nobody else's
		}
		return k
	}
}

// tellServing says where people come in, and who can.
func (a *app) tellServing(s *sshd.Server) {
	host, made := s.HostKey()
	addr := s.Addr().String()
	if a.opts.json {
		a.say.(*jsonVoice).serving(addr, host, s.Keys(), s.Audit())
	}
	if s.Beyond() {
		a.note("warning: " + addr + " can be reached from other machines; whoever holds one of the keys can work from here with your network's reach")
	}
	ip, port, _ := net.SplitHostPort(addr)
	if p := net.ParseIP(ip); p != nil && p.IsUnspecified() {
		ip = "THIS-MACHINE"
	}
	keys := "1 key"
	if n := s.Keys(); n != 1 {
		keys = fmt.Sprintf("%d keys", n)
	}
	a.note(fmt.Sprintf("listening on %s for %s: ssh -p %s %s", addr, keys, port, ip))
	if made {
		host += " (new)"
	}
	a.note("host key " + host)
	a.note("sessions are written down in " + s.Audit())
	for _, name := range []string{"AUTHENTIK_TOKEN", "NETBIRD_TOKEN"} {
		if a.Getenv(name) != "" && a.world == nil {
			a.note(name + " is set, and is not used: people bring their own tokens")
		}
	}
}

// servingLine says where people come in.
type servingLine struct {
	header
	Listen  string `json:"listen"`
	HostKey string `json:"host_key"` // its fingerprint
	Keys    int    `json:"keys"`     // that may log in
	Audit   string `json:"audit"`
}

func (v *jsonVoice) serving(listen, hostKey string, keys int, audit string) {
	v.write(servingLine{header: v.head("serving", ""), Listen: listen, HostKey: hostKey, Keys: keys, Audit: audit})
}
