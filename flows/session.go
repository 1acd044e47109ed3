package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"authbird/clients"
	"authbird/doctor"
	"authbird/keystore"
	"authbird/state"
)

// Session is one setup being worked on: its state locked, its keystore open,
// its servers at hand. Watch, Adopt and GiveUp are set before Plan.
type Session struct {
	Engine
	Name    string
	Answers state.Answers

	bench   *Bench
	setup   *state.Setup
	keys    *keystore.Store
	tokens  Tokens
	servers servers
	work    *Work
	flow    Flow

	// Claim is the yes to taking back what stands by this setup's names where
	// the journal has lost whose it is. Set before Remove.
	Claim     bool
	claimedID string    // the client id of the provider that would be claimed
	kept      []string  // backups that Remove left
	taken     []Removal // what taking back means, once it was read
}

// Open locks the setup, opens its keystore, and finds the tokens that were not
// given. A new setup is on disk only once something is about to be done.
func (b *Bench) Open(ctx context.Context, name string, a state.Answers, t Tokens) (*Session, error) {
	if err := b.refuses(a); err != nil {
		return nil, err
	}
	return b.session(ctx, name, a, t, b.State.Lock)
}

// Look opens a setup to plan only: it locks nothing and writes nothing.
func (b *Bench) Look(ctx context.Context, name string, a state.Answers, t Tokens) (*Session, error) {
	if err := b.refuses(a); err != nil {
		return nil, err
	}
	return b.session(ctx, name, a, t, b.State.Peek)
}

func (b *Bench) session(ctx context.Context, name string, a state.Answers, t Tokens, open func(string) (*state.Setup, error)) (*Session, error) {
	keys, err := b.OpenKeys(ctx, keystore.Kind(a.Keystore))
	if err != nil {
		return nil, noKeystore(err)
	}
	setup, err := open(name)
	if err != nil {
		return nil, notOpened(err)
	}
	s := &Session{Name: name, Answers: a, bench: b, setup: setup, keys: keys}
	if err := s.begin(ctx, t); err != nil {
		return nil, errors.Join(err, setup.Close())
	}
	return s, nil
}

func (s *Session) begin(ctx context.Context, given Tokens) error {
	s.Answers.Keystore = string(s.keys.Kind())
	var err error
	if s.tokens, err = s.findTokens(ctx, given); err != nil {
		return err
	}
	if s.servers, err = s.bench.servers(s.Answers, s.tokens); err != nil {
		return err
	}
	run, err := randomText(s.bench.Rand, 8)
	if err != nil {
		return err
	}
	s.Engine = Engine{Journal: s.setup, Run: run, Kept: s.Answers.Keep(), Now: s.bench.Now, Watch: func(Event) {},
		Begin: func() error { return s.setup.SaveAnswers(s.Answers) }}
	w := s.workOn()
	s.work, s.flow = w, Connector(w)
	if s.Answers.Mode == state.Standalone {
		s.flow = Standalone(w)
	}
	return nil
}

// findTokens takes the tokens that were given, or else those in the keystore.
func (s *Session) findTokens(ctx context.Context, given Tokens) (Tokens, error) {
	for name, token := range map[string]*string{keystore.AuthentikToken: &given.Authentik, keystore.NetBirdToken: &given.NetBird} {
		if *token != "" {
			continue
		}
		kept, err := s.keys.Get(ctx, s.Name, name)
		if err != nil && !errors.Is(err, keystore.ErrAbsent) {
			return given, &Stopped{Reason: NotWritten, Err: fmt.Errorf("read the %s from the keystore: %w", name, err)}
		}
		*token = kept
	}
	return given, nil
}

// Plan says what Carry would do. It changes nothing.
func (s *Session) Plan(ctx context.Context) (*Plan, error) {
	if err := s.checkAnswers(); err != nil {
		return nil, err
	}
	if open, ok := PendingRotation(s.setup); ok {
		return nil, unfinishedRenewal(open)
	}
	return s.Engine.Plan(ctx, s.flow)
}

// Carry does what the plan says and proves it. An error is a *Stopped.
func (s *Session) Carry(ctx context.Context, p *Plan) ([]doctor.Result, error) {
	// A passphrase is asked for now, not in the middle of a step.
	if p.Changes() {
		if err := s.keys.Unlock(ctx); err != nil {
			return nil, noKeystore(err)
		}
	}
	results, err := s.Engine.Carry(ctx, s.flow, p)
	if err != nil {
		return results, err
	}
	if err := errors.Join(s.keepTokens(ctx, p.Facts), s.noteKey(p.Facts)); err != nil {
		return results, &Stopped{Reason: NotWritten, Err: err}
	}
	return results, s.noteProof()
}

// noteProof writes down that the setup's secrets were proven just now.
func (s *Session) noteProof() error {
	for _, c := range slices.Clone(s.setup.Credentials) {
		if c.Name != keystore.ClientSecret && c.Name != keystore.AppPassword {
			continue
		}
		c.Proven = s.bench.Now()
		if err := s.setup.SaveCredential(c); err != nil {
			return &Stopped{Reason: NotWritten, Err: err}
		}
	}
	return nil
}

// SetAside names, a sentence each, the damaged files that were moved out of the
// way when the setup was opened.
func (s *Session) SetAside() []string { return s.setup.SetAside }

// Where says in words where the setup's secrets are kept.
func (s *Session) Where() string { return s.keys.Where() }

// Close gives the setup free for others.
func (s *Session) Close() error { return s.setup.Close() }

// setupSecrets is one setup's part of a keystore.
type setupSecrets struct {
	store *keystore.Store
	setup string
}

func (k setupSecrets) Get(ctx context.Context, name string) (string, error) {
	return k.store.Get(ctx, k.setup, name)
}

func (k setupSecrets) Set(ctx context.Context, name, value string) error {
	return k.store.Set(ctx, k.setup, name, value)
}

func (k setupSecrets) Delete(ctx context.Context, name string) error {
	return k.store.Delete(ctx, k.setup, name)
}

// StopOf is the Stopped in an error, made of it where there is none.
func StopOf(err error) *Stopped {
	var s *Stopped
	if errors.As(err, &s) {
		return s
	}
	return &Stopped{Reason: reasonOf(err), Err: errors.New(clients.Clean(err.Error()))}
}
