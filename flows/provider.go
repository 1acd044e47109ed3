package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// provider brings the OAuth2/OpenID provider about. Where the application is
// missing too, one transactional request makes both and its group bindings.
type provider struct {
	*Work
	want func(f *facts.Facts) (authentik.ProviderSpec, error)
	// ready is called once the provider was read back, so that what can be
	// proven of it starts at once.
	ready func(ctx context.Context, f *facts.Facts)
	// only are the fields, by the API's names, that may be changed; nil: all.
	only []string
}

func (s provider) About() About {
	return About{
		ID: stepProvider, Title: "provider", Where: AtAuthentik, Object: s.Answers.Name,
		Why:   "it signs people in for NetBird; Authentik leaves its signing key, scope mappings and redirect URIs out by default, so authbird sets all three",
		Makes: s.makes(),
	}
}

func (s provider) makes() string {
	if s.Answers.Mode == state.Standalone {
		return "public, signed with RS256, the subject is the user's ID"
	}
	return "confidential, signed with RS256"
}

func (s provider) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Authentik.Providers.Err; err != nil {
		return unreadable("Authentik's providers", err)
	}
	have, stands := s.find(f)
	want, err := s.want(f)
	switch {
	case err != nil:
		return Finding{Verdict: Blocked, Note: err.Error()}
	case !stands:
		return Finding{Verdict: Missing, Fields: s.chosen(f, want)}
	}
	found := Finding{Verdict: InPlace, ObjectID: strconv.Itoa(have.PK)}
	for _, c := range s.changes(f, have, want, past.Made) {
		found.Fields = append(found.Fields, c.Field)
		found.Intent.Before = c.remember(found.Intent.Before)
	}
	if !s.ours(have) {
		found.Fields = append(found.Fields, Field{Name: "owner", Have: "made by somebody else", Want: "used by this setup"})
	}
	if len(found.Fields) > 0 {
		found.Verdict = Differs
	}
	return found
}

// chosen is what a person may want to see of a provider before it is made. Its
// redirect URIs are told by the step that keeps them.
func (s provider) chosen(f *facts.Facts, want authentik.ProviderSpec) []Field {
	return []Field{
		{Name: "signing key", Want: keyName(f, want.SigningKey)},
		{Name: "authorization flow", Want: flowSlug(f, want.AuthorizationFlow)},
		{Name: "scope mappings", Want: mappingNames(f, want.PropertyMappings)},
	}
}

// changes are those of the fields that may be changed.
func (s provider) changes(f *facts.Facts, have authentik.Provider, want authentik.ProviderSpec, made bool) []providerChange {
	all := providerChanges(f, have, want, s.ours(have), made)
	if s.only == nil {
		return all
	}
	return slices.DeleteFunc(all, func(c providerChange) bool { return !slices.Contains(s.only, c.key) })
}

// ours says whether the provider has the client id that the journal knows.
func (s provider) ours(p authentik.Provider) bool {
	return p.ClientID != "" && p.ClientID == s.clientID()
}

// find is the provider with our client id, or else the one with our name.
func (s provider) find(f *facts.Facts) (authentik.Provider, bool) {
	if p, ok := providerOf(f, s.clientID()); ok {
		return p, true
	}
	return foreignProvider(f, s.clientID())
}

func (s provider) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	want, err := s.want(f)
	if err != nil {
		return state.Receipt{}, err
	}
	switch {
	case found.Verdict == Differs:
		err = s.change(ctx, f, want)
	case f.Authentik.Application.Absent():
		err = s.Authentik.CreateApplication(ctx, s.transaction(f, want))
	default:
		_, err = s.Authentik.CreateProvider(ctx, want)
	}
	if err != nil {
		return state.Receipt{}, err
	}
	if err := s.Reader.AfterProvider(ctx, f); err != nil {
		return state.Receipt{}, unseen(err)
	}
	now, ok := s.find(f)
	if !ok {
		return state.Receipt{}, unseen(fmt.Errorf("%q was made but is not found by its client id", want.Name))
	}
	if s.ready != nil {
		s.ready(ctx, f)
	}
	return state.Receipt{ObjectID: strconv.Itoa(now.PK), Made: found.ObjectID == ""}, nil
}

// change brings a provider that stands to what is wanted. A foreign one keeps
// its client id and secret, which go into the keystore first.
func (s provider) change(ctx context.Context, f *facts.Facts, want authentik.ProviderSpec) error {
	have, ok := s.find(f)
	if !ok {
		return fmt.Errorf("%q is gone", want.Name)
	}
	ours := s.ours(have)
	if !ours {
		if s.Answers.Mode == state.Connector && have.ClientSecret == "" {
			return fmt.Errorf("%q has an empty client secret, which NetBird can't use: give it one in Authentik, or choose another --name", have.Name)
		}
		if err := s.takeOver(ctx, f, have); err != nil {
			return err
		}
	}
	patch := map[string]any{}
	past, _ := s.Record.Last(stepProvider)
	for _, c := range s.changes(f, have, want, past.Made) {
		patch[c.key] = c.value
	}
	if len(patch) == 0 {
		return nil
	}
	_, err := s.Authentik.UpdateProvider(ctx, have.PK, patch)
	return err
}

// takeOver makes a foreign provider's client id, and its secret where the mode
// uses one, this setup's.
func (s provider) takeOver(ctx context.Context, f *facts.Facts, have authentik.Provider) error {
	step := stepClientID
	receipt := state.Receipt{ObjectID: have.ClientID, Values: map[string]string{"client_id": have.ClientID}}
	if s.Answers.Mode == state.Connector {
		var err error
		if receipt, err = s.keepClientSecret(ctx, f, have.ClientID, have.ClientSecret); err != nil {
			return err
		}
		step = stepClientSecret
	}
	f.Ask.ClientID = have.ClientID
	return s.Record.Append(state.Entry{
		Time: s.Now(), Flow: string(s.Answers.Mode), Step: step, Phase: state.Done, Receipt: receipt,
		Note: "taken over from the provider that stood there",
	})
}

func (s provider) transaction(f *facts.Facts, want authentik.ProviderSpec) authentik.Transaction {
	t := authentik.Transaction{Application: authentik.ApplicationSpec{Name: s.Answers.Name, Slug: s.Answers.Slug}, Provider: want}
	for _, name := range s.Answers.AllowGroups {
		if g, ok := groupNamed(f, name); ok {
			t.Groups = append(t.Groups, g.PK)
		}
	}
	return t
}

// Undo deletes a provider that was made, and puts back what was changed of one
// that stood there. Its application is another step's, undone first.
func (s provider) Undo(ctx context.Context, r state.Receipt) error {
	pk, err := strconv.Atoi(r.ObjectID)
	if err != nil {
		return fmt.Errorf("the journal's provider id %q is no number", clients.Clean(r.ObjectID))
	}
	if r.Made {
		p, err := s.Authentik.Provider(ctx, pk)
		if err != nil {
			return err
		}
		if id := s.clientID(); id == "" || p.ClientID != id {
			return nil // another provider by now: an Authentik that was set up anew counts from one
		}
		return s.Authentik.DeleteProvider(ctx, pk)
	}
	back := map[string]any{}
	for key, text := range r.Before {
		back[key] = json.RawMessage(text)
	}
	_, err = s.Authentik.UpdateProvider(ctx, pk, back)
	return err
}

// providerOf is the provider of a client id.
func providerOf(f *facts.Facts, clientID string) (authentik.Provider, bool) {
	for _, p := range f.Authentik.Providers.Value {
		if clientID != "" && p.ClientID == clientID {
			return p, true
		}
	}
	return authentik.Provider{}, false
}

// foreignProvider is a provider of the wanted name with another client id.
func foreignProvider(f *facts.Facts, clientID string) (authentik.Provider, bool) {
	for _, p := range f.Authentik.Providers.Value {
		if p.Name == f.Ask.Name && (clientID == "" || p.ClientID != clientID) {
			return p, true
		}
	}
	return authentik.Provider{}, false
}

func groupNamed(f *facts.Facts, name string) (authentik.Group, bool) {
	for _, g := range f.Authentik.Groups[name].Value {
		if g.Name == name {
			return g, true
		}
	}
	return authentik.Group{}, false
}
