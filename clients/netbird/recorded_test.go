package netbird_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/clients"
	"authbird/clients/netbird"
)

// TestRecordedRefusals: what the real server said to what must not succeed.
func TestRecordedRefusals(t *testing.T) {
	type call func(context.Context, *netbird.Client) error
	current := func(ctx context.Context, c *netbird.Client) error { _, err := c.CurrentUser(ctx); return err }
	create := func(ctx context.Context, c *netbird.Client) error {
		_, err := c.CreateIdentityProvider(ctx, netbird.IdentityProviderSpec{})
		return err
	}
	update := func(ctx context.Context, c *netbird.Client) error {
		_, err := c.UpdateIdentityProvider(ctx, "x", netbird.IdentityProviderSpec{})
		return err
	}
	read := func(ctx context.Context, c *netbird.Client) error { _, err := c.IdentityProvider(ctx, "x"); return err }
	rows := map[string]struct {
		file, exchange string
		call           call
		kind           clients.Kind
		says           string
	}{
		"no token is unauthorised":                   {"0.77.1", "current-noauth", current, clients.Unauthorised, "no valid authentication provided"},
		"a bad token is unauthorised":                {"0.77.1", "current-token-jwt", current, clients.Unauthorised, "token invalid"},
		"a pending user is forbidden":                {"0.77.1", "alice-current-pending", current, clients.Forbidden, "user is blocked"},
		"a plain user may not create connectors":     {"0.77.1", "alice-idps-create-403", create, clients.Forbidden, "permission denied"},
		"a connector that isn't there is absent":     {"0.77.1", "idp-get-unknown", read, clients.Absent, "not found"},
		"a change of one that isn't there is absent": {"0.77.1", "idp-put-nosuch", update, clients.Absent, "not found"},
		"a change of type is refused":                {"0.77.1", "idp-put-typechange", update, clients.Refused, "type change not allowed"},
		"a connector without a name is refused":      {"0.77.1", "idp-put-noname", update, clients.Refused, "name is required"},
		"a setup that was done is a conflict": {"0.77.1", "setup-again", func(ctx context.Context, c *netbird.Client) error {
			_, err := c.Setup(ctx, "a@b.c", "A", "password")
			return err
		}, clients.Conflict, "already completed"},
		"a user who doesn't wait can't be approved": {"0.77.1", "approve-again", func(ctx context.Context, c *netbird.Client) error { _, err := c.ApproveUser(ctx, "x"); return err }, clients.Refused, "not pending"},
		"settings with parts left out are refused": {"0.77.1", "settings-put-empty", func(ctx context.Context, c *netbird.Client) error {
			return c.SaveAccount(ctx, "x", json.RawMessage("{}"))
		}, clients.Refused, ""},
		"connectors need the embedded provider": {"0.77.1-standalone", "create", create, clients.Unsupported, "requires embedded idp"},
		"a server with a fault of its own leaves a write unknown": {"0.77.1-standalone", "setup", func(ctx context.Context, c *netbird.Client) error {
			_, err := c.Setup(ctx, "a@b.c", "A", "password")
			return err
		}, clients.Unknown, "internal server error"},
		"no discovery means no embedded provider":        {"0.77.1-standalone", "oauth2-disc", func(ctx context.Context, c *netbird.Client) error { _, err := c.EmbeddedIdP(ctx); return err }, clients.Absent, ""},
		"a version call that isn't there is unsupported": {"0.77.1", "instance-trailing-slash", func(ctx context.Context, c *netbird.Client) error { _, err := c.Version(ctx); return err }, clients.Unsupported, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			err := row.call(t.Context(), at(t, recorded(t, row.file, row.exchange), "t"))
			wantKind(t, err, row.kind)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q in it", err, row.says)
			}
		})
	}
}

// TestRecordedReach: what NetBird says of an issuer that it could not use, and what that tells of the way there.
func TestRecordedReach(t *testing.T) {
	rows := map[string]struct {
		file, exchange string
		want           netbird.Reach
	}{
		"a 404 is what Authentik says":       {"0.77.1", "idp-issuer-err404", netbird.Reach{Reached: true, Status: 404, Said: "404 not found"}},
		"a 403 may be a firewall":            {"0.77.1", "idp-issuer-err403", netbird.Reach{Status: 403, Said: "403 forbidden"}},
		"a 500 is trouble on the way":        {"0.77.1", "idp-issuer-err500", netbird.Reach{Status: 500, Said: "500 internal server error"}},
		"nothing listens":                    {"0.77.1", "idp-issuer-refused", netbird.Reach{Said: "dial tcp 127.0.0.1:9: connect: connection refused"}},
		"it hangs":                           {"0.77.1", "idp-issuer-hang", netbird.Reach{Said: "context deadline exceeded (client.timeout exceeded while awaiting headers)"}},
		"the authority is not trusted there": {"0.77.1-issuers-and-claims", "selfsigned", netbird.Reach{Said: "tls: failed to verify certificate: x509: certificate signed by unknown authority"}},
		"something else than a discovery":    {"0.77.1", "idp-issuer-notjson", netbird.Reach{Said: "failed to decode provider discovery object: invalid character '<' looking for beginning of value"}},
		"another issuer answers":             {"0.77.1", "idp-issuer-mismatch", netbird.Reach{Said: `identity provider issuer does not match the issuer returned by the provider: expected "http://127.0.0.1:40633/mismatch" got "http://other.example/realm"`}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got := must(at(t, recorded(t, row.file, row.exchange), "t").ProbeReach(t.Context(), "http://127.0.0.1:9/x/"))(t)
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRecordedAnswers(t *testing.T) {
	ctx := t.Context()
	client := func(name string) *netbird.Client { return at(t, recorded(t, "0.77.1", name), "t") }
	i := must(client("instance-fresh").Instance(ctx))(t)
	j := must(client("instance-after").Instance(ctx))(t)
	if !i.SetupRequired || j.SetupRequired {
		t.Errorf("instances %+v, %+v", i, j)
	}
	if same, known := j.Process.SameRun(i.Process); !same || !known || j.Process.Counter <= i.Process.Counter {
		t.Errorf("one process looks like two: %+v, %+v", i.Process, j.Process)
	}
	k := must(at(t, recorded(t, "0.77.1-standalone", "instance"), "").Instance(ctx))(t)
	if same, known := k.Process.SameRun(i.Process); same || !known {
		t.Errorf("two processes look like one: %+v, %+v", i.Process, k.Process)
	}
	if v := must(client("version-admin").Version(ctx))(t); v != "0.77.1" {
		t.Errorf("version %s", v)
	}
	u := must(client("current-bearer-cli-id").CurrentUser(ctx))(t)
	if u.Email != ownerEmail || u.IdPID != "local" || !u.Current || u.Blocked || !u.May("identity_providers", "create") || u.May("no such module", "create") {
		t.Errorf("user %+v", u)
	}
	users := must(client("users-with-alice").Users(ctx))(t)
	here := slices.IndexFunc(users, func(u netbird.User) bool { return u.Email == "alice@example.com" })
	if alice := users[here]; !alice.PendingApproval || !alice.Blocked || !strings.HasPrefix(alice.IdPID, "authentik-") {
		t.Errorf("alice %+v", alice)
	}
	a := must(client("acc").Accounts(ctx))(t)
	if len(a) != 1 || a[0].DomainCategory != "private" || a[0].Domain != "netbird.selfhosted" || !*a[0].Settings.EmbeddedIdP || !a[0].Settings.UserApprovalRequired {
		t.Errorf("accounts %+v", a)
	}
	if a := must(at(t, recorded(t, "0.77.1-domainless-account", "accounts-1"), "t").Accounts(ctx))(t); a[0].Domain != "" || a[0].DomainCategory != "" {
		t.Errorf("domainless account %+v", a)
	}
	idps := must(client("idp-list").IdentityProviders(ctx))(t)
	want := netbird.IdentityProvider{ID: "authentik-dc2c9ulqmd2pvrl9en2g", Type: "authentik", Name: "T-authentik", Issuer: "http://127.0.0.1:40633/good", ClientID: "nb-client"}
	if d := cmp.Diff(want, idps[len(idps)-1]); d != "" {
		t.Error(d)
	}
	tok := must(client("pat-ok").CreateToken(ctx, "x", "lab", 1))(t)
	if !strings.HasPrefix(tok.Key, "nbp_") || tok.ID == "" || tok.Expires.Sub(tok.Created).Hours() != 24 || !tok.LastUsed.IsZero() {
		t.Errorf("token %+v", tok)
	}
	if toks := must(client("pat-list").Tokens(ctx, "x"))(t); len(toks) != 2 || toks[0].LastUsed.IsZero() {
		t.Errorf("tokens %+v", toks)
	}
}

// TestPatchSettings on the settings as recorded: what isn't named keeps its value.
func TestPatchSettings(t *testing.T) {
	raw := must(at(t, recorded(t, "0.77.1", "acc"), "t").Accounts(t.Context()))(t)[0].Raw
	patched := must(netbird.PatchSettings(raw, map[string]any{"extra.user_approval_required": false, "jwt_groups_claim_name": "groups", "new.deep.one": []string{"x"}}))(t)
	var before, after map[string]any
	if json.Unmarshal(raw, &before) != nil || json.Unmarshal(patched, &after) != nil {
		t.Fatal("no JSON")
	}
	before["extra"].(map[string]any)["user_approval_required"] = false
	before["jwt_groups_claim_name"] = "groups"
	before["new"] = map[string]any{"deep": map[string]any{"one": []any{"x"}}}
	if d := cmp.Diff(before, after); d != "" {
		t.Error(d)
	}
	big := must(netbird.PatchSettings(json.RawMessage(`{"n": 9007199254740993, "e": 1e400}`), map[string]any{"x": 1}))(t)
	if string(big) != `{"e":1e400,"n":9007199254740993,"x":1}` {
		t.Errorf("numbers changed: %s", big)
	}
	if null := must(netbird.PatchSettings(json.RawMessage(`{"extra": null}`), map[string]any{"extra.x": 1}))(t); string(null) != `{"extra":{"x":1}}` {
		t.Errorf("a null became %s", null)
	}
	if _, err := netbird.PatchSettings(json.RawMessage(`{"extra": 5}`), map[string]any{"extra.x": 1}); err == nil {
		t.Error("a number was taken for an object")
	}
}

func TestWhatIsNoNetBird(t *testing.T) {
	page := says(200, "<html><title>Nextcloud</title></html>")
	for name, c := range map[string]*netbird.Client{
		"a web page": at(t, page, "t"), "another API": at(t, says(200, `{"ok": true}`), "t"), "a list": at(t, says(200, `[]`), "t"),
		"a login in front": at(t, says(401, `{"error": "login"}`), "t"), "a NetBird of old": at(t, says(404, "404 page not found\n"), "t"),
	} {
		i, err := c.Instance(t.Context())
		wantKind(t, err, clients.WrongServer)
		if i.Meta.Status == 0 || i.Process.ID != "" {
			t.Errorf("%s: %+v", name, i)
		}
	}
	_, err := at(t, page, "").EmbeddedIdP(t.Context()) // a dashboard answers every address with its page
	wantKind(t, err, clients.Absent)
}
