package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/facts"
	"authbird/state"
)

// connector brings the identity provider about in NetBird's embedded IdP.
type connector struct {
	*Work
	changed func() // called when it was made or changed
}

func (s connector) About() About {
	return About{
		ID: stepConnector, Title: "connector", Where: AtNetBird, Object: s.Answers.ConnectorName,
		Why:   "it puts Authentik on NetBird's login page, beside NetBird's own login",
		Makes: "type " + s.Answers.ConnectorType,
	}
}

func (s connector) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.NetBird.Providers.Err; err != nil {
		return unreadable("NetBird's identity providers", err)
	}
	if d := f.Authentik.Discovery; d.OK() && len(d.Value.Foreign) > 0 {
		return Finding{Verdict: Blocked, Note: fmt.Sprintf("Authentik calls itself %s there, which is not the address that you gave: let the proxy in front of it pass on Host and X-Forwarded-Proto, or use that address", clients.Clean(d.Value.Issuer))}
	}
	c, ours, stands := s.find(f, past)
	if !stands {
		return Finding{Verdict: Missing, Intent: s.sent(f)}
	}
	found := Finding{Verdict: InPlace, ObjectID: c.ID, Fields: s.differences(f, c, past)}
	found.Intent.Before = map[string]string{"name": c.Name, "client_id": c.ClientID, "issuer": c.Issuer, "type": c.Type}
	if !ours && !s.same(f, c) {
		found.Fields = append(found.Fields, Field{Name: "owner", Have: "made by somebody else", Want: "used by this setup"})
	}
	if len(found.Fields) > 0 {
		found.Verdict = Differs
	}
	return found
}

// sent is what a create will have sent, if the connector is found afterwards. A
// change leaves nothing to find it by, so its intent keeps no digest, and a
// change whose answer was lost is sent again.
func (s connector) sent(f *facts.Facts) state.Receipt {
	if !f.Local.ClientSecret.OK() {
		return state.Receipt{}
	}
	return state.Receipt{
		Digest: s.Record.Digest(f.Local.ClientSecret.Value),
		Values: map[string]string{"issuer": f.Authentik.Discovery.Value.Issuer},
	}
}

// find is the connector that the journal knows, or the one with our client id,
// or else one of the wanted name.
func (s connector) find(f *facts.Facts, past state.Receipt) (c netbird.IdentityProvider, ours, stands bool) {
	for _, c := range f.NetBird.Providers.Value {
		if past.ObjectID != "" && c.ID == past.ObjectID {
			return c, true, true
		}
	}
	id := s.clientID()
	if id == "" {
		if p, ok := foreignProvider(f, ""); ok {
			id = p.ClientID
		}
	}
	for _, c := range f.NetBird.Providers.Value {
		if id != "" && c.ClientID == id {
			return c, false, true
		}
	}
	for _, c := range f.NetBird.Providers.Value {
		if strings.EqualFold(c.Name, s.Answers.ConnectorName) {
			return c, false, true
		}
	}
	return netbird.IdentityProvider{}, false, false
}

// same says that a connector points at our provider: whoever made it.
func (s connector) same(f *facts.Facts, c netbird.IdentityProvider) bool {
	return s.clientID() != "" && c.ClientID == s.clientID() && c.Issuer == f.Authentik.Discovery.Value.Issuer
}

// differences compares a connector that stands with the wanted one. Its type
// can't change, and its secret is in no answer: for that the journal keeps a
// digest of the one that was sent.
func (s connector) differences(f *facts.Facts, c netbird.IdentityProvider, past state.Receipt) []Field {
	var out []Field
	add := func(name, have, want string) {
		if have != want {
			out = append(out, Field{Name: name, Have: have, Want: want})
		}
	}
	add("name", c.Name, s.Answers.ConnectorName)
	if id := s.clientID(); id != "" {
		add("client id", c.ClientID, id)
	}
	if f.Authentik.Discovery.OK() {
		add("issuer", c.Issuer, f.Authentik.Discovery.Value.Issuer)
	}
	if secret := f.Local.ClientSecret; secret.OK() && past.Digest != s.Record.Digest(secret.Value) {
		add("client secret", "unknown, or another one", "the one in the keystore")
	}
	return out
}

func (s connector) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	if !f.Authentik.Discovery.OK() {
		return state.Receipt{}, fmt.Errorf("the issuer is not known: %w", f.Authentik.Discovery.Err)
	}
	secret := f.Local.ClientSecret
	if !secret.OK() {
		return state.Receipt{}, fmt.Errorf("the client secret is not in the keystore: %w", secret.Err)
	}
	spec := netbird.IdentityProviderSpec{
		Type: s.Answers.ConnectorType, Name: s.Answers.ConnectorName, ClientID: s.clientID(),
		ClientSecret: secret.Value, Issuer: f.Authentik.Discovery.Value.Issuer,
	}
	past, _ := s.Record.Last(stepConnector)
	if c, ok := connectorByID(f, found.ObjectID); ok && past.Digest == "" && onlySecret(found.Fields) && asBegun(c, found.Intent) {
		// Somebody else's, pointing at our provider: it was given the provider's
		// secret, and a needless change would need a restart of NetBird.
		return state.Receipt{ObjectID: c.ID, Digest: s.Record.Digest(secret.Value), Values: map[string]string{"issuer": spec.Issuer}}, nil
	}
	made, err := s.send(ctx, f, spec, found)
	if err != nil {
		return state.Receipt{}, err
	}
	keepConnector(f, made)
	s.changed()
	receipt := state.Receipt{
		ObjectID: made.ID, Made: found.ObjectID == "", Digest: s.Record.Digest(secret.Value),
		Values: map[string]string{"issuer": spec.Issuer},
	}
	if found.ObjectID != "" && !onlyName(found.Fields) {
		receipt.Values[changedIn] = writeProcess(f.NetBird.Instance.Value.Process)
	}
	return receipt, nil
}

func connectorByID(f *facts.Facts, id string) (netbird.IdentityProvider, bool) {
	for _, c := range f.NetBird.Providers.Value {
		if id != "" && c.ID == id {
			return c, true
		}
	}
	return netbird.IdentityProvider{}, false
}

// asBegun says that the connector stands as it did before the first attempt to
// change it. Where it doesn't, a change whose answer was lost came about, and
// NetBird may have to be restarted for it: so it is sent again.
func asBegun(c netbird.IdentityProvider, intent state.Receipt) bool {
	was := intent.Before
	return was["name"] == c.Name && was["client_id"] == c.ClientID && was["issuer"] == c.Issuer
}

// onlySecret says that nothing differs but the secret, which can't be read.
func onlySecret(fields []Field) bool { return len(fields) == 1 && fields[0].Name == "client secret" }

// onlyName says that nothing changes but what the login page calls it.
func onlyName(fields []Field) bool { return len(fields) == 1 && fields[0].Name == "name" }

// send creates the connector or changes the one that stands, whose type stays
// as it is.
func (s connector) send(ctx context.Context, f *facts.Facts, spec netbird.IdentityProviderSpec, found Finding) (netbird.IdentityProvider, error) {
	if found.ObjectID == "" {
		made, err := s.NetBird.CreateIdentityProvider(ctx, spec)
		return made, otherType(err)
	}
	if c, ok := connectorByID(f, found.ObjectID); ok {
		spec.Type = c.Type
	}
	return s.NetBird.UpdateIdentityProvider(ctx, found.ObjectID, spec)
}

// otherType adds the way out to a refusal of the connector's type.
func otherType(err error) error {
	var e *clients.Error
	if !errors.As(err, &e) || e.Kind != clients.Refused || !strings.HasSuffix(e.Message, "unsupported identity provider type") {
		return err
	}
	return &Stopped{Reason: WentWrong, Err: err, Hints: []string{"this NetBird knows no such type: --connector-type oidc makes it a Generic OIDC one"}}
}

// keepConnector puts what NetBird answered into the facts; the proof reads it
// back.
func keepConnector(f *facts.Facts, made netbird.IdentityProvider) {
	for i, c := range f.NetBird.Providers.Value {
		if c.ID == made.ID {
			f.NetBird.Providers.Value[i] = made
			return
		}
	}
	f.NetBird.Providers.Value = append(f.NetBird.Providers.Value, made)
}

// Undo deletes a connector that was made. One that stood there is pointed back
// to where it pointed; its old secret is not known, so the new one stays.
func (s connector) Undo(ctx context.Context, r state.Receipt) error {
	if r.Made {
		return s.NetBird.DeleteIdentityProvider(ctx, r.ObjectID)
	}
	_, err := s.NetBird.UpdateIdentityProvider(ctx, r.ObjectID, netbird.IdentityProviderSpec{
		Type: r.Before["type"], Name: r.Before["name"], ClientID: r.Before["client_id"], Issuer: r.Before["issuer"],
	})
	if clients.KindOf(err) == clients.Absent {
		return nil
	}
	return err
}
