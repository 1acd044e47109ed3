package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// redirect keeps the provider's redirect URIs so that those are in it which
// NetBird uses: by its embedded IdP's issuer, and by what a real login start
// was seen to send. It adds, and takes nothing away.
type redirect struct {
	*Work
	want func(f *facts.Facts) []authentik.RedirectURI
}

func (s redirect) About() About {
	return About{
		ID: stepRedirect, Title: "redirect URI", Where: AtAuthentik, Object: s.Answers.Name,
		Why:   "Authentik sends people back only to addresses that the provider lists, byte for byte",
		Makes: "written with the provider",
	}
}

func (s redirect) find(f *facts.Facts) (authentik.Provider, bool) {
	return provider{Work: s.Work}.find(f)
}

func (s redirect) Look(f *facts.Facts, _ state.Receipt) Finding {
	p, ok := s.find(f)
	if !ok {
		return Finding{Verdict: Missing, Fields: []Field{{Name: "redirect URIs", Want: uris(s.want(f))}}}
	}
	made, _ := s.Record.Last(stepProvider)
	found := Finding{Verdict: InPlace, ObjectID: strconv.Itoa(p.PK), Ours: made.Made}
	if missing := s.missing(f, p); len(missing) > 0 {
		found.Verdict = Differs
		if before, err := json.Marshal(p.RedirectURIs); err == nil {
			found.Intent.Before = map[string]string{"redirect_uris": string(before)}
		}
		found.Fields = []Field{{Name: "redirect URIs", Have: uris(p.RedirectURIs), Want: uris(append(slices.Clone(p.RedirectURIs), missing...))}}
	}
	return found
}

func (s redirect) missing(f *facts.Facts, p authentik.Provider) []authentik.RedirectURI {
	wanted := s.want(f)
	if seen := f.Proof.Start; seen.OK() && seen.Value.RedirectURI != "" {
		wanted = append(wanted, authentik.RedirectURI{MatchingMode: "strict", URL: seen.Value.RedirectURI})
	}
	var out []authentik.RedirectURI
	for _, w := range wanted {
		if !slices.Contains(p.RedirectURIs, w) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func uris(list []authentik.RedirectURI) string {
	words := make([]string, 0, len(list))
	for _, u := range list {
		if u.MatchingMode == "strict" {
			words = append(words, u.URL)
		} else {
			words = append(words, u.MatchingMode+" "+u.URL)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func (s redirect) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	p, ok := s.find(f)
	if !ok {
		return state.Receipt{}, fmt.Errorf("the provider does not stand")
	}
	list := append(slices.Clone(p.RedirectURIs), s.missing(f, p)...)
	if _, err := s.Authentik.UpdateProvider(ctx, p.PK, map[string]any{"redirect_uris": list}); err != nil {
		return state.Receipt{}, err
	}
	if err := s.Reader.AfterProvider(ctx, f); err != nil {
		return state.Receipt{}, unseen(err)
	}
	return state.Receipt{ObjectID: strconv.Itoa(p.PK)}, nil
}

// Undo puts the old list back, unless the provider itself is ours and goes.
func (s redirect) Undo(ctx context.Context, r state.Receipt) error {
	if of, _ := s.Record.Last(stepProvider); of.Made {
		return nil
	}
	pk, err := strconv.Atoi(r.ObjectID)
	if err != nil {
		return err
	}
	_, err = s.Authentik.UpdateProvider(ctx, pk, map[string]any{"redirect_uris": json.RawMessage(r.Before["redirect_uris"])})
	return err
}
