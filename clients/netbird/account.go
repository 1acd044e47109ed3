package netbird

import (
	"context"
	"encoding/json"
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
func (c *Client) Accounts(ctx context.Context) ([]Account, error) { return nil, errLater }

// PatchSettings is raw with those values set; a dot leads into an object ("extra.user_approval_required").
// Everything else stays byte for byte, since NetBird resets what a PUT leaves out.
func PatchSettings(raw json.RawMessage, changes map[string]any) (json.RawMessage, error) {
	return nil, errLater
}

// SaveAccount sends the whole settings object. Its answer tells nothing that can be trusted (embedded_idp_enabled
// is false in it); read the account again.
func (c *Client) SaveAccount(ctx context.Context, id string, settings json.RawMessage) error {
	return errLater
}
