package netbird

import (
	"context"
	"encoding/base64"
)

// Group is a group of NetBird's account.
type Group struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Issued string `json:"issued"` // "api"; "jwt" where a login brought it; "integration"
}

// Groups is the groups of the account.
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	var all []Group
	err := c.get(ctx, "read the groups", "/api/groups", &all)
	return all, err
}

// Upstream reads out of a user's id who that is at the identity provider of a connector, and which connector: the
// embedded provider writes both into it, as the fields 1 and 2 of a protocol buffer. False for any other id.
func Upstream(userID string) (subject, connector string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(userID)
	if err != nil {
		return "", "", false
	}
	subject, raw, ok = lengthed(raw, 0x0a)
	if !ok {
		return "", "", false
	}
	connector, raw, ok = lengthed(raw, 0x12)
	return subject, connector, ok && len(raw) == 0
}

// lengthed takes one field off: its tag, its length (one byte, below 128, or two) and its text.
func lengthed(raw []byte, tag byte) (text string, rest []byte, ok bool) {
	if len(raw) < 2 || raw[0] != tag {
		return "", nil, false
	}
	n, from := int(raw[1]), 2
	if n >= 128 {
		if len(raw) < 3 || raw[2] >= 128 {
			return "", nil, false
		}
		n, from = n&0x7f|int(raw[2])<<7, 3
	}
	if len(raw) < from+n {
		return "", nil, false
	}
	return string(raw[from : from+n]), raw[from+n:], true
}
