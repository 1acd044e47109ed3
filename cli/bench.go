package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// asking is who answers what no flag answered.
type asking int

const (
	askNobody asking = iota // a missing answer ends the run
	askLines                // one question a line
	askScreen               // the full screen
)

// asks decides who is asked: nobody with --yes, --json or without a terminal;
// line by line where a person or the terminal wants it so.
func (a *app) asks() asking {
	switch {
	case a.opts.yes, a.opts.json, !a.StdinTerminal, a.opts.authentikToken == "-", a.opts.netbirdFile == "-":
		return askNobody
	case a.StdoutTerminal && !a.lineMode():
		return askScreen
	case a.StderrTerminal:
		return askLines
	}
	return askNobody
}

// lineMode says that the full screen is not wanted or can't be drawn.
func (a *app) lineMode() bool {
	accessible := strings.ToLower(a.Getenv("ACCESSIBLE"))
	return a.opts.accessible || a.opts.plain || a.Getenv("TERM") == "dumb" ||
		accessible != "" && accessible != "0" && accessible != "false" && accessible != "no"
}

// state opens the state folder.
func (a *app) state() (*state.Dir, error) {
	path := a.opts.stateDir
	if path == "" {
		path = state.DefaultPath(a.Getenv)
	}
	return state.Open(path)
}

// asker answers the keystore's question for a passphrase; nil: nobody can.
type asker func(context.Context, keystore.Question) (string, error)

// bench puts together what setups are worked on with.
func (a *app) bench(ask asker) (*flows.Bench, error) {
	dir, err := a.state()
	if err != nil {
		return nil, err
	}
	tracer, err := a.tracer()
	if err != nil {
		return nil, err
	}
	kit := &kit{stores: map[keystore.Kind]*keystore.Store{}, transports: map[string]*clients.Transport{}}
	return &flows.Bench{
		State: dir,
		OpenKeys: func(ctx context.Context, kind keystore.Kind) (*keystore.Store, error) {
			return kit.store(kind, func() (*keystore.Store, error) { return keystore.Open(ctx, a.keystoreOptions(kind, dir.Path(), ask)) })
		},
		Transport: func(caFile string) (*clients.Transport, error) {
			if a.given["ca-file"] != "" { // over what a setup remembers
				caFile = absolute(a.opts.caFile)
			}
			return kit.transport(caFile, func() (*clients.Transport, error) {
				return clients.New(clients.Options{
					CAFile: caFile, Timeout: a.opts.timeout, Trace: tracer,
					UserAgent: "authbird/" + versionOf(a.Version), Now: a.Now, Wait: a.Wait,
				})
			})
		},
		Now: a.Now, Rand: a.Rand, Wait: a.Wait, Docker: lacksDocker,
		Shell: a.runRestart, Forgets: a.world != nil,
	}, nil
}

// kit is what is opened once a run, however many setups are worked on at the
// same time: keystores, which may ask for a passphrase, and connections.
type kit struct {
	mu         sync.Mutex
	stores     map[keystore.Kind]*keystore.Store
	transports map[string]*clients.Transport // by CA file
}

func (k *kit) store(kind keystore.Kind, open func() (*keystore.Store, error)) (*keystore.Store, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.stores[kind]; s != nil {
		return s, nil
	}
	s, err := open()
	if err == nil { // asked for again by what it turned out to be
		k.stores[kind], k.stores[s.Kind()] = s, s
	}
	return s, err
}

func (k *kit) transport(caFile string, open func() (*clients.Transport, error)) (*clients.Transport, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.transports[caFile]; t != nil {
		return t, nil
	}
	t, err := open()
	if err == nil {
		k.transports[caFile] = t
	}
	return t, err
}

// keystoreOptions keeps the sandbox's secrets in memory: the env backend over
// an environment that has none.
func (a *app) keystoreOptions(kind keystore.Kind, dir string, ask asker) keystore.Options {
	o := keystore.Options{Kind: kind, Dir: dir, Identity: a.opts.keystoreIdentity, Getenv: a.Getenv, Passphrase: ask, Say: a.note}
	if kind != "" && kind != keystore.File {
		o.Identity = ""
	}
	if a.world != nil && kind != keystore.File {
		o.Kind, o.Identity, o.Say = keystore.Env, "", nil
		o.Getenv = func(string) string { return "" }
	}
	return o
}

// tracer opens the file of --trace. Each run begins it anew, so that what
// stands in it is one run's.
func (a *app) tracer() (func(clients.Exchange), error) {
	if a.opts.trace == "" {
		return nil, nil
	}
	f, err := os.OpenFile(a.opts.trace, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, usagef("%s: %v", flagOr("trace", a.given), err)
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := f.Chmod(0o600); err != nil {
			return nil, usagef("%s: %v", flagOr("trace", a.given), err)
		}
	}
	a.atEnd(func() { _ = f.Close() })
	return clients.NewTracer(f), nil
}

// askPassphrase asks for a passphrase line by line; a new one twice.
func (a *app) askPassphrase(ctx context.Context, q keystore.Question) (string, error) {
	where := clients.Clean(q.Where)
	if q.Again {
		a.lines.say("That passphrase does not open it.")
	}
	if !q.New {
		return a.lines.askHidden(ctx, fmt.Sprintf("Passphrase for %s?", where), anything)
	}
	a.lines.say("Secrets will be kept in %s, encrypted with a passphrase. Nobody can read them without it, and it can't be recovered.", where)
	for {
		one, err := a.lines.askHidden(ctx, "New passphrase?", keystore.CheckNew)
		if err != nil {
			return "", err
		}
		two, err := a.lines.askHidden(ctx, "The same passphrase again?", anything)
		if err != nil || one == two {
			return two, err
		}
		a.lines.say("The two are not the same.")
	}
}

// quote makes a word of a command line that people may copy.
func quote(s string) string {
	q, err := syntax.Quote(s, syntax.LangBash)
	if err != nil { // a NUL byte: no shell can hold it
		return "''"
	}
	return q
}
