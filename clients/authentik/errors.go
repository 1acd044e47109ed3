package authentik

import (
	"context"
	"errors"
	"net/http"

	"authbird/clients"
)

// What Authentik says with a 403. The first stays English in every language; the others are translated, which is
// why each request asks for English, and why Settle exists.
const (
	saysBadToken = "Token invalid/expired"
	saysNoToken  = "Authentication credentials were not provided."
	saysNoRight  = "You do not have permission to perform this action."
)

// classify gives a 403 its kind: Authentik answers 403 to a bad token too.
func classify(err error) error {
	if detail := forbidden(err); detail == saysBadToken || detail == saysNoToken {
		return withKind(err, clients.Unauthorised)
	}
	return err
}

// forbidden is the detail of a 403, "" where err is none or says none.
func forbidden(err error) string {
	var e *clients.Error
	if errors.As(err, &e) && e.Status == http.StatusForbidden && len(e.Fields["detail"]) > 0 {
		return e.Fields["detail"][0]
	}
	return ""
}

// Settle asks Me where err is a 403 whose reason was not clear (its text was localised), and gives err back with
// the kind that it has: Unauthorised or Forbidden. Any other error comes back as it is.
func (c *Client) Settle(ctx context.Context, err error) error {
	detail := forbidden(err)
	if clients.KindOf(err) != clients.Forbidden || detail == "" || detail == saysNoRight {
		return err
	}
	if _, meErr := c.Me(ctx); clients.KindOf(meErr) == clients.Unauthorised {
		return withKind(err, clients.Unauthorised)
	}
	return err
}

// withKind is a copy of the error with another kind.
func withKind(err error, k clients.Kind) error {
	var e *clients.Error
	if !errors.As(err, &e) {
		return err
	}
	changed := *e
	changed.Kind = k
	return &changed
}

func absent(op, message string) error {
	return &clients.Error{Kind: clients.Absent, Server: product, Op: op, Message: message}
}

// lookup says whether an object with a value that must be unique stands there.
type lookup func(context.Context) (bool, error)

// taken makes a refused create a Conflict where one of the fields that it was refused for is taken by another
// object. The field and a look decide, never the text: the same field is refused for being malformed too. Where the
// look fails, the create stays refused.
func taken(ctx context.Context, err error, unique map[string]lookup) error {
	var e *clients.Error
	if !errors.As(err, &e) || e.Kind != clients.Refused || e.Status != http.StatusBadRequest {
		return err
	}
	for field, stands := range unique {
		if _, refused := e.Fields[field]; !refused {
			continue
		}
		if yes, lookErr := stands(ctx); lookErr == nil && yes {
			return withKind(err, clients.Conflict)
		}
	}
	return err
}

// some is a lookup by a call that lists.
func some[T any](list []T, err error) (bool, error) { return len(list) > 0, err }

// one is a lookup by a call that reads one object.
func one[T any](_ T, err error) (bool, error) {
	if clients.KindOf(err) == clients.Absent {
		return false, nil
	}
	return err == nil, err
}
