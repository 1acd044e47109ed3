package flows

import (
	"context"
	"errors"
	"sync/atomic"

	"authbird/clients"
	"authbird/doctor"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// Diagnosis is what the doctor found of one connection. Every text in it is
// fit for a terminal.
type Diagnosis struct {
	Setup                            string // "" for a connection that authbird did not make
	Answers                          state.Answers
	AuthentikVersion, NetBirdVersion string
	Results                          []doctor.Result // in the order of the checks
	Requests                         int             // HTTP requests that were made
	// CouldNotLook is why nothing at all could be seen: neither server can be
	// reached, or neither takes a token. Nil where something was seen.
	CouldNotLook error

	known   Known         // what was found of a connection that authbird did not make
	given   state.Answers // what a person said of it
	facts   *facts.Facts
	people  []string // whose names the texts may hold, once facts are let go
	options DiagnoseOptions
}

// DiagnoseOptions say what else is at hand, and who watches.
type DiagnoseOptions struct {
	NetBirdConfig, NetBirdLog, EnvFile string // files; "": none
	// Watch hears each result as soon as what it rests on was read; nil: nobody.
	// It is called from one goroutine, the caller's.
	Watch func(doctor.Result)
}

// Diagnose examines a setup of ours. It changes nothing and takes no lock. An
// error means that the setup can't be read here; whatever is wrong at the
// servers is in the results.
func (b *Bench) Diagnose(ctx context.Context, setup string, t Tokens, o DiagnoseOptions) (*Diagnosis, error) {
	s, err := b.State.Load(setup)
	if err != nil {
		return nil, err
	}
	return b.examine(ctx, setup, t, o, s)
}

// examine looks at a setup whose state was read, locked or not.
func (b *Bench) examine(ctx context.Context, name string, t Tokens, o DiagnoseOptions, s *state.Setup) (*Diagnosis, error) {
	x := &examination{bench: b, setup: s, options: o, d: &Diagnosis{Setup: name, Answers: s.Answers, options: o}}
	if err := x.open(ctx, t); err != nil {
		return nil, err
	}
	return x.run(ctx)
}

// examination is one connection being looked at.
type examination struct {
	bench    *Bench
	setup    *state.Setup
	options  DiagnoseOptions
	work     *Work
	d        *Diagnosis
	requests atomic.Int64
	again    atomic.Int64 // attempts beyond a request's first that were asked for
}

// open finds the tokens and the secrets. A keystore that can't be opened, or a
// secret that is not in it, leaves what rests on it unknown.
func (x *examination) open(ctx context.Context, t Tokens) error {
	if err := x.bench.refuses(x.setup.Answers); err != nil {
		return err
	}
	secrets := Secrets(noSecrets{errors.New("the keystore could not be opened")})
	keys, err := x.bench.OpenKeys(ctx, keystore.Kind(x.setup.Answers.Keystore))
	if err == nil {
		secrets = setupSecrets{keys, x.setup.Name}
		for name, token := range map[string]*string{keystore.AuthentikToken: &t.Authentik, keystore.NetBirdToken: &t.NetBird} {
			if kept, err := secrets.Get(ctx, name); *token == "" && err == nil {
				*token = kept
			}
		}
	}
	return x.equip(t, secrets)
}

// equip makes the clients and counts what they ask.
func (x *examination) equip(t Tokens, secrets Secrets) error {
	tr, err := x.bench.Transport(x.setup.Answers.CAFile)
	if err != nil {
		return err
	}
	s, err := serversOver(tr.Heard(func(clients.Exchange) { x.requests.Add(1) }, func() bool { return x.again.Add(1) <= mostRetried }), x.setup.Answers, t)
	if err != nil {
		return err
	}
	x.work = &Work{
		Setup: x.setup.Name, Answers: x.setup.Answers, Authentik: s.authentik, NetBird: s.netbird, Reader: x.bench.reader(s),
		Secrets: secrets, Record: x.setup, Now: x.bench.Now, Rand: x.bench.Rand, Docker: x.bench.Docker,
		Shared: func() bool { return true },
	}
	return nil
}

// mostRetried is how often an examination tries a request again: what doesn't
// answer is a finding.
const mostRetried = 2

// noSecrets is a keystore that can't be opened.
type noSecrets struct{ err error }

func (n noSecrets) Get(context.Context, string) (string, error) { return "", n.err }
func (n noSecrets) Set(context.Context, string, string) error   { return n.err }
func (n noSecrets) Delete(context.Context, string) error        { return n.err }

// run reads wave by wave and judges what each brought.
func (x *examination) run(ctx context.Context) (*Diagnosis, error) {
	x.d.facts = &facts.Facts{At: x.bench.Now(), Ask: facts.Ask{ClientID: x.work.clientID(), Slug: x.work.Answers.Slug}}
	x.judge(0)
	ask := x.ask()
	f := x.work.Reader.Examine(ctx, ask)
	x.local(ctx, f)
	x.d.facts = f
	x.judge(1)
	if ctx.Err() != nil {
		return nil, &Stopped{Reason: Interrupted, Err: interruptionOf(ctx)}
	}
	if ask.Standalone == nil && f.NetBird.Embedded.OK() {
		ask.Redirects = []string{f.NetBird.Embedded.Value.RedirectURI()}
	}
	x.work.Reader.Probe(ctx, f, ask)
	x.judge(2)
	if ctx.Err() != nil {
		return nil, &Stopped{Reason: Interrupted, Err: interruptionOf(ctx)}
	}
	x.d.Results = doctor.InOrder(x.questions(), x.d.Results)
	x.d.AuthentikVersion, x.d.NetBirdVersion = clients.CleanN(f.Authentik.Version.Value, 40), clients.CleanN(f.NetBird.Version.Value, 40)
	x.d.Requests = int(x.requests.Load())
	x.d.CouldNotLook = blind(f, x.d.Results)
	return x.d, nil
}

func (x *examination) judge(wave int) {
	for _, r := range doctor.Examine(x.questions(), wave, x.d.facts, x.d.Results) {
		x.d.Results = append(x.d.Results, r)
		if x.options.Watch != nil {
			x.options.Watch(r)
		}
	}
}

// ask is what is to be read of this connection.
func (x *examination) ask() facts.ExamAsk {
	w := x.work
	made, _ := w.Record.Last(stepApplication)
	ask := facts.ExamAsk{
		Ask: facts.Ask{Name: w.Answers.Name, Slug: w.Answers.Slug, ClientID: w.clientID(), SigningKey: w.Answers.SigningKey,
			Stands: made.ObjectID != "" || w.Known != nil && w.Answers.Slug != "", Reach: true},
		NetBird: x.asksNetBird(), ConnectorID: w.connectorID(),
	}
	if w.Answers.Mode == state.Standalone {
		ask.Reach = false
		ask.Standalone = &facts.StandaloneAsk{ServiceAccount: w.Answers.ServiceAccount, Known: true}
		ask.Username = w.Answers.ServiceAccount
		ask.Redirects = []string{"https://" + w.Answers.NetBirdDomain + "/auth", clientLoopback}
	}
	return ask
}

// asksNetBird says whether NetBird's API is asked: in standalone mode only
// where its address was given, since it may not run yet.
func (x *examination) asksNetBird() bool {
	return x.work.Answers.Mode != state.Standalone || x.work.Answers.NetBirdURL != ""
}

// local adds what this machine knows.
func (x *examination) local(ctx context.Context, f *facts.Facts) {
	w := x.work
	if env := x.envFile(); env != "" {
		f.Local.EnvFile = readFile(env)
	}
	if file := x.managementFile(); file != "" {
		f.Local.Management = readFile(file)
	}
	if log := x.options.NetBirdLog; log != "" {
		f.Local.Log = facts.Of(hostfiles.Tail(log, longestLog))
	}
	if w.Answers.Mode == state.Standalone {
		f.Local.AppPassword = w.appPassword(ctx, f)
		return
	}
	f.Local.ClientSecret = facts.Of(w.Secrets.Get(ctx, keystore.ClientSecret))
}

// appPassword is the one that the keystore has or, where it has none, the one
// that stands in NetBird's own files.
func (w *Work) appPassword(ctx context.Context, f *facts.Facts) facts.Fact[string] {
	kept := facts.Of(w.Secrets.Get(ctx, keystore.AppPassword))
	if kept.OK() {
		return kept
	}
	if m, err := hostfiles.ReadManagement(f.Local.Management.Value); err == nil && m.Password != "" {
		return facts.Of(m.Password, nil)
	}
	if env, err := hostfiles.Read(f.Local.EnvFile.Value); err == nil && env[hostfiles.PasswordKey] != "" {
		return facts.Of(env[hostfiles.PasswordKey], nil)
	}
	return kept
}

// longestLog is how much of a log's end is looked at, in bytes.
const longestLog = 4 << 20

func (x *examination) envFile() string {
	return first(x.options.EnvFile, x.work.Answers.EnvFile)
}

func (x *examination) managementFile() string {
	return first(x.options.NetBirdConfig, x.work.Answers.NetBirdConfig)
}

// questions are what the doctor asks of the connection, by what is known now.
func (x *examination) questions() []doctor.Question {
	w, f := x.work, x.d.facts
	c := doctor.Case{Wants: w.wants(), Standalone: w.Answers.Mode == state.Standalone, AskNetBird: x.asksNetBird(), Found: w.Known != nil,
		Domain: w.Answers.NetBirdDomain, Here: x.here()}
	c.Proven = doctor.Proven{ConnectorID: w.connectorID(), ClientID: w.clientID(), Account: w.Answers.ServiceAccount}
	if c.Standalone {
		c.Wants = w.standaloneWants()
		c.Wants.NetBirdURL = w.Answers.NetBirdURL
		c.OmitsPassword = w.Answers.EnvSecret == EnvSecretOmit
		set, _ := w.Record.Last(stepAppPassword)
		c.Identifier = set.ObjectID
	} else {
		made, _ := w.Record.Last(stepConnector)
		c.ChangedIn, c.Changed = readProcess(made.Values[changedIn])
		c.Here.Secret = f.Local.ClientSecret.Err
	}
	if c.Standalone {
		c.Here.Secret = f.Local.AppPassword.Err
	}
	return doctor.Questions(c)
}

// here is what this machine knows of the setup besides its secrets.
func (x *examination) here() doctor.Locally {
	h := doctor.Locally{Log: x.options.NetBirdLog, Damage: x.setup.Damage}
	if x.work.Answers.Mode == state.Standalone || x.options.EnvFile != "" {
		h.EnvFile = x.envFile()
	}
	h.Management = x.managementFile()
	for _, c := range x.setup.Credentials {
		h.Credentials = append(h.Credentials, doctor.Age{Name: c.Name, Made: c.Made, Expires: c.Expires, Due: Due(c, x.setup.Answers)})
	}
	flow, step, when, why, stopped := x.setup.Interrupted()
	if stopped {
		h.Stopped, h.At, h.Since, h.Why, h.Next = "setup", step, when, why, "authbird resume "+x.setup.Name
		credential, renews := Rotating(flow)
		switch {
		case flow == Removing:
			h.Stopped, h.Next = "removal", "authbird remove "+x.setup.Name
		case renews:
			h.Stopped = "renewal of the " + words(credential)
		}
	}
	h.Gap = gapOf(x.setup, x.d.facts.NetBird.Instance)
	return h
}

// blind is why nothing could be seen at all, nil where something was.
func blind(f *facts.Facts, results []doctor.Result) error {
	if f.Authentik.Me.OK() || f.NetBird.Accounts.OK() || f.NetBird.Me.OK() {
		return nil
	}
	return checkError(results, CannotReach)
}
