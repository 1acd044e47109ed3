package authentik

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"authbird/clients"
)

const (
	pageSize = 100
	maxPages = 10 // beyond this a list is not what authbird reads it for
)

// page is one page of a list. Next is the number of the next one, 0 for none.
type page[T any] struct {
	Pagination struct {
		Next float64 `json:"next"`
	} `json:"pagination"`
	Results []T `json:"results"`
}

func readPage[T any](ctx context.Context, c *Client, op, path string, q url.Values) (page[T], error) {
	var p page[T]
	err := c.get(ctx, op, path, q, &p)
	if err == nil && p.Results == nil {
		err = &clients.Error{Kind: clients.WrongServer, Server: product, Op: op, Method: http.MethodGet, URL: c.base,
			Status: http.StatusOK, Message: "the answer is no list"}
	}
	return p, err
}

// list reads a list that is short by its nature: one request, and further ones only where the server says that
// there is more, up to 1,000 entries.
func list[T any](ctx context.Context, c *Client, op, path string, q url.Values) ([]T, error) {
	if q == nil {
		q = url.Values{}
	}
	q.Set("page_size", strconv.Itoa(pageSize))
	var all []T
	for n := 0; n < maxPages; n++ {
		p, err := readPage[T](ctx, c, op, path, q)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Results...)
		if p.Pagination.Next < 1 {
			break
		}
		q.Set("page", strconv.Itoa(int(p.Pagination.Next)))
	}
	return all, nil
}

// exact finds the objects whose key is value, by the server's filter and in one request. A server that ignores the
// filter gives everything: then what is on the page counts, and where there are more pages the call is Unsupported,
// since "not on this page" is not "not there".
func exact[T any](ctx context.Context, c *Client, op, path, filter, value string, key func(T) string, more ...string) ([]T, error) {
	q := url.Values{filter: {value}, "page_size": {strconv.Itoa(pageSize)}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	p, err := readPage[T](ctx, c, op, path, q)
	if err != nil {
		return nil, err
	}
	var found []T
	for _, item := range p.Results {
		if key(item) == value {
			found = append(found, item)
		}
	}
	if len(found) == 0 && p.Pagination.Next >= 1 {
		return nil, &clients.Error{Kind: clients.Unsupported, Server: product, Op: op, Method: http.MethodGet, URL: c.base,
			Status: http.StatusOK, Message: "this version doesn't look up by " + filter}
	}
	return found, nil
}

// decodeNumbers reads JSON and keeps its numbers as they are written.
func decodeNumbers(raw []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(out)
}
