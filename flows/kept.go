package flows

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// keepTokens stores the admin tokens if the person said so, and forgets them
// otherwise.
func (s *Session) keepTokens(ctx context.Context, f *facts.Facts) error {
	for name, token := range map[string]string{keystore.AuthentikToken: s.tokens.Authentik, keystore.NetBirdToken: s.tokens.NetBird} {
		digest := s.setup.Digest(token)
		if !s.Answers.KeepAdminTokens || token == "" || s.knows(name, digest) {
			continue
		}
		if err := s.keys.Set(ctx, s.Name, name, token); err != nil {
			return fmt.Errorf("store the %s: %w", name, err)
		}
		now := s.bench.Now()
		c := state.Credential{Name: name, Made: now, Proven: now, Digest: digest, Kept: true, UsedBy: "authbird"}
		if name == keystore.AuthentikToken {
			s.datesAtAuthentik(ctx, f, token, &c)
		} else {
			s.datesAtNetBird(ctx, token, &c)
		}
		if err := s.setup.SaveCredential(c); err != nil {
			return err
		}
	}
	return nil
}

// knows says that just that credential is kept already: its age stays.
func (s *Session) knows(name, digest string) bool {
	return slices.ContainsFunc(s.setup.Credentials, func(c state.Credential) bool { return c.Name == name && c.Kept && c.Digest == digest })
}

// datesAtAuthentik finds out when a kept API token ends. Nothing says which of
// its owner's it is: where they end differently, their keys are looked at.
func (s *Session) datesAtAuthentik(ctx context.Context, f *facts.Facts, token string, c *state.Credential) {
	c.EndUnknown = true
	me, all := f.Authentik.Me, f.Authentik.Tokens
	if !all.Read {
		all = facts.Of(s.servers.authentik.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAPI, Username: me.Value.Username}))
	}
	if !me.OK() || !all.OK() {
		return
	}
	own := slices.DeleteFunc(slices.Clone(all.Value), func(t authentik.Token) bool { return t.User != me.Value.PK })
	if end, known := doctor.TokenEnd(own); known {
		c.Expires, c.EndUnknown = end, false
		return
	}
	for _, t := range own {
		if key, err := s.servers.authentik.ViewTokenKey(ctx, t.Identifier); err != nil || key != token {
			continue
		}
		c.EndUnknown = false
		if t.Expiring {
			c.Expires = t.Expires
		}
		return
	}
}

// datesAtNetBird finds out when a kept access token was made and ends: it is the
// one whose last use changes as it is used.
func (s *Session) datesAtNetBird(ctx context.Context, token string, c *state.Credential) {
	c.EndUnknown = true
	if end, ok := jwtEnd(token); ok { // of a sign-in, which no list has
		c.Expires, c.EndUnknown = end, false
		return
	}
	me := s.bench.reader(s.servers).NetBirdUser(ctx)
	before, err := s.servers.netbird.Tokens(ctx, me.Value.ID)
	after, again := s.servers.netbird.Tokens(ctx, me.Value.ID)
	if errors.Join(me.Err, err, again) != nil {
		return
	}
	id := onlyUsed(before, after, "")
	if i := slices.IndexFunc(after, func(t netbird.Token) bool { return t.ID == id }); i >= 0 {
		c.ID, c.Made, c.Expires, c.EndUnknown = id, after[i].Created, after[i].Expires, false
	}
}

// jwtEnd reads off a signed token when it ends; false where it is none.
func jwtEnd(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	var claims struct {
		End int64 `json:"exp"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.End == 0 {
		return time.Time{}, false
	}
	return time.Unix(claims.End, 0).UTC(), true
}

// alsoKeptBy are the other setups of this machine that keep the same token.
func (s *Session) alsoKeptBy(name, token string) ([]string, error) {
	all, err := s.bench.State.List()
	var out []string
	for _, x := range all {
		digest := x.Digest(token)
		if x.Name != s.Name && slices.ContainsFunc(x.Credentials, func(c state.Credential) bool { return c.Name == name && c.Kept && c.Digest == digest }) {
			out = append(out, x.Name)
		}
	}
	return out, err
}
