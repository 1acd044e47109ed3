package flows

import (
	"context"

	"authbird/doctor"
	"authbird/facts"
)

// standaloneProof proves a standalone setup with NetBird's own calls. Those of
// the service account begin as soon as it is complete, while the device flow is
// still being made.
type standaloneProof struct {
	*Work
	early earlyReads // the service account's part
}

func (p *standaloneProof) ask(f *facts.Facts) facts.StandaloneProofAsk {
	have, _ := providerOf(f, p.clientID())
	return facts.StandaloneProofAsk{
		ClientID: p.clientID(), Username: p.Answers.ServiceAccount, Password: f.Local.AppPassword.Value,
		Redirects: p.usedRedirects(), LookAlike: "https://not-" + p.Answers.NetBirdDomain + "/auth",
		Twin: doctor.Twin("https://" + p.Answers.NetBirdDomain + "/auth"), Registered: len(have.RedirectURIs),
	}
}

func (p *standaloneProof) begin(ctx context.Context, f *facts.Facts) {
	if f.Authentik.Discovery.OK() && f.Local.AppPassword.OK() {
		p.early.begin(ctx, f, func(ctx context.Context) func() { return p.Reader.ProveServiceAccount(ctx, f, p.ask(f)) })
	}
}

func (p *standaloneProof) prove(ctx context.Context, f *facts.Facts) []doctor.Result {
	if !p.early.begunFor(f) {
		p.begin(ctx, f)
	}
	f.Ask.ClientID = p.clientID() // of a provider that was taken over it wasn't known before
	p.Reader.ProveStandalone(ctx, f, p.ask(f))
	p.early.end(ctx)
	return doctor.Judge(doctor.StandaloneProof(doctor.Proven{
		RedirectFix: stepRedirect, Account: p.Answers.ServiceAccount, Least: p.Answers.Rights == RightsLeast,
	}), f)
}
