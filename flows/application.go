package flows

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// application brings the application about that hands the provider out. Where
// both are missing, the provider's request makes it too.
type application struct{ *Work }

func (s application) About() About {
	return About{
		ID: stepApplication, Title: "application", Where: AtAuthentik, Object: s.Answers.Slug, With: stepProvider,
		Why:   "Authentik hands a provider out only through an application; its slug is part of the issuer",
		Makes: s.Answers.Name + ", " + s.whom(),
	}
}

func (s application) whom() string {
	if len(s.Answers.AllowGroups) == 0 {
		return "for everyone"
	}
	return "for " + strings.Join(s.Answers.AllowGroups, ", ")
}

func (s application) Look(f *facts.Facts, past state.Receipt) Finding {
	if f.Authentik.Application.Absent() {
		return Finding{Verdict: Missing}
	}
	if err := f.Authentik.Application.Err; err != nil {
		return unreadable("the application", err)
	}
	app := f.Authentik.Application.Value
	found := Finding{Verdict: InPlace, ObjectID: app.Slug}
	if n := len(f.Authentik.Bindings.Value); n > 0 && len(s.Answers.AllowGroups) == 0 {
		found.Note = fmt.Sprintf("%d bindings say who may open it; they stay", n)
	}
	pk, name := s.provider(f)
	if pk == 0 || app.Provider != pk {
		found.Verdict = Differs
		found.Intent.Before = map[string]string{"provider": strconv.Itoa(app.Provider)}
		found.Fields = append(found.Fields, Field{Name: "provider", Have: providerName(app.Provider), Want: name})
	}
	return found
}

// provider is the pk and name of the provider that the application shall hand
// out; 0 before it was made.
func (s application) provider(f *facts.Facts) (int, string) {
	if p, ok := providerOf(f, s.clientID()); ok {
		return p.PK, p.Name
	}
	if p, ok := foreignProvider(f, s.clientID()); ok {
		return p.PK, p.Name
	}
	return 0, s.Answers.Name
}

func providerName(pk int) string {
	if pk == 0 {
		return "none"
	}
	return "provider " + strconv.Itoa(pk)
}

func (s application) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	pk, name := s.provider(f)
	if pk == 0 {
		return state.Receipt{}, fmt.Errorf("the provider %q does not stand", name)
	}
	if found.Verdict == Differs {
		if _, err := s.Authentik.UpdateApplication(ctx, s.Answers.Slug, map[string]any{"provider": pk}); err != nil {
			return state.Receipt{}, err
		}
	} else if _, err := s.Authentik.CreateApplicationFor(ctx, authentik.ApplicationSpec{Name: s.Answers.Name, Slug: s.Answers.Slug}, pk); err != nil {
		return state.Receipt{}, err
	}
	if err := s.Reader.AfterApplication(ctx, f); err != nil {
		return state.Receipt{}, unseen(err)
	}
	return state.Receipt{ObjectID: s.Answers.Slug, Made: found.ObjectID == ""}, nil
}

// Undo deletes an application that was made, and gives one that stood there
// its provider back.
func (s application) Undo(ctx context.Context, r state.Receipt) error {
	if r.Made {
		return s.Authentik.DeleteApplication(ctx, r.ObjectID)
	}
	var provider any
	if pk, err := strconv.Atoi(r.Before["provider"]); err == nil && pk != 0 {
		provider = pk
	}
	_, err := s.Authentik.UpdateApplication(ctx, r.ObjectID, map[string]any{"provider": provider})
	return err
}
