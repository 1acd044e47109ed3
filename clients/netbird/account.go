package netbird

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Account is the account that the token sees.
type Account struct {
	ID             string
	Domain         string // empty: every connector user would get an account of his own
	DomainCategory string // should be "private"
	Settings       Settings
	Raw            json.RawMessage // the whole settings object, as the server gave it
}

// Settings is the part of the account's settings that authbird reads.
type Settings struct {
	EmbeddedIdP          *bool // nil: the server doesn't say
	LocalAuthDisabled    bool
	LocalMFA             bool
	UserApprovalRequired bool
	JWTGroups            bool
	JWTGroupsClaim       string
	JWTAllowGroups       []string
}

// Accounts is the accounts that the token sees: one.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	var answer []struct {
		ID       string          `json:"id"`
		Domain   string          `json:"domain"`
		Category string          `json:"domain_category"`
		Settings json.RawMessage `json:"settings"`
	}
	if err := c.get(ctx, "read the account", "/api/accounts", &answer); err != nil {
		return nil, err
	}
	var out []Account
	for _, a := range answer {
		out = append(out, Account{ID: a.ID, Domain: a.Domain, DomainCategory: a.Category, Raw: a.Settings, Settings: readSettings(a.Settings)})
	}
	return out, nil
}

// readSettings reads what it knows; a setting of another shape counts as not said.
func readSettings(raw json.RawMessage) Settings {
	var s struct {
		EmbeddedIdP       *bool    `json:"embedded_idp_enabled"`
		LocalAuthDisabled bool     `json:"local_auth_disabled"`
		LocalMFA          bool     `json:"local_mfa_enabled"`
		JWTGroups         bool     `json:"jwt_groups_enabled"`
		JWTGroupsClaim    string   `json:"jwt_groups_claim_name"`
		JWTAllowGroups    []string `json:"jwt_allow_groups"`
		Extra             struct {
			Approval bool `json:"user_approval_required"`
		} `json:"extra"`
	}
	_ = json.Unmarshal(raw, &s) // fields that fit are filled in all the same
	return Settings{EmbeddedIdP: s.EmbeddedIdP, LocalAuthDisabled: s.LocalAuthDisabled, LocalMFA: s.LocalMFA, UserApprovalRequired: s.Extra.Approval,
		JWTGroups: s.JWTGroups, JWTGroupsClaim: s.JWTGroupsClaim, JWTAllowGroups: s.JWTAllowGroups}
}

// PatchSettings is raw with those values set; a dot leads into an object ("extra.user_approval_required").
// Everything else keeps its value, also what this version of authbird has never heard of, since NetBird resets what
// a PUT leaves out.
func PatchSettings(raw json.RawMessage, changes map[string]any) (json.RawMessage, error) {
	for path, value := range changes {
		var err error
		if raw, err = setAt(raw, strings.Split(path, "."), value); err != nil {
			return nil, fmt.Errorf("set %s: %w", path, err)
		}
	}
	return raw, nil
}

func setAt(raw json.RawMessage, path []string, value any) (json.RawMessage, error) {
	if len(path) == 0 {
		return json.Marshal(value)
	}
	object := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, err
		}
	}
	if object == nil { // it was null
		object = map[string]json.RawMessage{}
	}
	inner, err := setAt(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = inner
	return json.Marshal(object)
}

// SaveAccount sends the whole settings object. Its answer tells nothing that can be trusted (embedded_idp_enabled
// is false in it); read the account again.
func (c *Client) SaveAccount(ctx context.Context, id string, settings json.RawMessage) error {
	const op = "save the account's settings"
	at, err := segment(op, id)
	if err != nil {
		return err
	}
	return c.send(ctx, op, http.MethodPut, "/api/accounts/"+at, map[string]json.RawMessage{"settings": settings}, nil)
}
