package flows

import (
	"context"
	"path/filepath"

	"authbird/clients/authentik"
	"authbird/doctor"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// The rights that a service account may get.
const (
	RightsAdmins = "admins" // membership of authentik Admins, as documented
	RightsLeast  = "least"  // a role that may read users and nothing else
)

// What the standalone provider's redirect URIs may look like.
const (
	RedirectsDocumented = "documented" // a pattern for everything below NetBird's domain
	RedirectsStrict     = "strict"     // just the addresses that NetBird uses
)

// adminGroup is Authentik's own group of administrators.
const adminGroup = "authentik Admins"

// standaloneMappings are the scope mappings that NetBird needs as Authentik's
// only client: without offline_access people are logged out after an hour, and
// without the API's scope the service account may not read users.
var standaloneMappings = []string{authentik.ScopeOpenID, authentik.ScopeEmail, authentik.ScopeProfile, authentik.ScopeOfflineAccess, authentik.ScopeAPI}

// Standalone is the flow of the advanced mode: Authentik as NetBird's only
// identity provider, up to the setup.env that NetBird's configure.sh reads.
func Standalone(w *Work) Flow {
	p := &standaloneProof{Work: w}
	redirects := func(*facts.Facts) []authentik.RedirectURI { return w.standaloneRedirects() }
	steps := []Step{
		clientID{w},
		appPasswordSecret{w},
		provider{Work: w, want: w.standaloneProvider},
		application{w},
	}
	steps = append(steps, w.bindings()...)
	steps = append(steps, redirect{w, redirects}, serviceAccount{w}, appPassword{w})
	steps = append(steps, w.rights()...)
	steps = append(steps, w.access()...)
	steps = append(steps, w.letIn()...)
	steps = append(steps, deviceFlow{Work: w, ready: p.begin}, brandFlow{w}, setupEnv{w})
	if w.Answers.NetBirdConfig != "" {
		steps = append(steps, managementFile{w})
	}
	steps = append(steps, w.groupSync()...)
	return Flow{
		Name: string(state.Standalone), Steps: steps,
		Survey: w.surveyStandalone,
		Preflight: func(f *facts.Facts) []doctor.Result {
			return doctor.Judge(doctor.StandalonePreflight(w.standaloneWants()), f)
		},
		Prove: func(ctx context.Context, f *facts.Facts) []doctor.Result {
			return append(p.prove(ctx, f), w.proveGroups(ctx, f)...)
		},
	}
}

// rights are the steps that let the service account read users.
func (w *Work) rights() []Step {
	if w.Answers.Rights == RightsLeast {
		return []Step{
			readerRole{w},
			readerGroup{w},
			membership{Work: w, id: stepRights, group: w.readerName(), with: stepReaderGroup,
				why: "its role lets the service account read users, and nothing else"},
		}
	}
	return []Step{membership{Work: w, id: stepRights, group: adminGroup,
		why: "NetBird reads Authentik's users through the service account; the documentation makes it an administrator for that"}}
}

// readerName is what the role and the group of the least rights are called.
func (w *Work) readerName() string { return w.Answers.ServiceAccount + " user reader" }

func (w *Work) standaloneWants() doctor.Wants {
	return doctor.Wants{
		AuthorizationFlow: w.Answers.AuthorizationFlow, AuthenticationFlow: authenticationFlow,
		SigningKey: w.Answers.SigningKey, Groups: w.groupNames(), Mappings: standaloneMappings,
		AllowHTTP: w.Answers.AllowHTTP, AuthentikURL: w.Answers.AuthentikURL,
	}
}

func (w *Work) surveyStandalone(ctx context.Context) *facts.Facts {
	made, _ := w.Record.Last(stepApplication)
	password := facts.Of(w.Secrets.Get(ctx, keystore.AppPassword))
	ask := facts.Ask{
		Name: w.Answers.Name, Slug: w.Answers.Slug, ClientID: w.clientID(), SigningKey: w.Answers.SigningKey,
		Groups: w.groupNames(), Bound: w.readGroups || len(w.bindings()) > 0, Stands: made.ObjectID != "",
		Account: w.asksAccount(), Admins: w.Answers.GroupSync == GroupSyncOn, LetIn: w.Answers.LetIn,
		Standalone: &facts.StandaloneAsk{ServiceAccount: w.Answers.ServiceAccount},
	}
	if w.Answers.Rights == RightsLeast {
		ask.Standalone.Roles = []string{w.readerName()}
		ask.Groups = append(ask.Groups, w.readerName())
	} else {
		ask.Groups = append(ask.Groups, adminGroup)
	}
	f := w.Reader.Survey(ctx, ask)
	f.Local.AppPassword = password
	f.Local.EnvFile = readFile(w.Answers.EnvFile)
	if w.Docker != nil {
		f.Local.Docker = facts.Of(struct{}{}, w.Docker(ctx))
	}
	if w.Answers.NetBirdConfig != "" {
		f.Local.Management = readFile(w.Answers.NetBirdConfig)
	} else {
		f.Local.AtRisk = facts.Of(hostfiles.EncryptionKeyAtRisk(filepath.Dir(w.Answers.EnvFile)))
	}
	if w.Known != nil {
		f.Local.AppPassword = w.appPassword(ctx, f)
	}
	return f
}
