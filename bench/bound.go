//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"authbird/sim"
)

const leastRow = "the least a connector takes"

// least is the least that a connector setup can take: one keep-alive client
// that reads the needed lists together, creates at Authentik, reads what that
// made, and creates at NetBird; without looking, checking or writing anything
// down, and with no process to start.
func (b *bench) least() error {
	row := cells{}
	for i, latency := range latencies {
		var took []time.Duration
		for range b.runs {
			d, asked, err := b.leastOnce(latency)
			if err != nil {
				return err
			}
			took = append(took, d)
			row.requests, row.chain = strconv.Itoa(len(asked)), strconv.Itoa(chain(asked)) // the last has the latency that tells
		}
		row.walls[i] = span(median(took))
	}
	b.table.add(leastRow, row)
	return nil
}

func (b *bench) leastOnce(latency time.Duration) (time.Duration, []*exchange, error) {
	g, err := b.bareGround(true)
	if err != nil {
		return 0, nil, err
	}
	defer g.close()
	g.slow(latency)
	l := bound{s: g.sim, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	defer l.client.CloseIdleConnections()
	var took time.Duration
	asked, err := g.seen.record(func() error {
		start := time.Now()
		err := errors.Join(l.lists(), l.create())
		took = time.Since(start)
		return err
	})
	return took, asked, err
}

type bound struct {
	s      *sim.Sandbox
	client *http.Client

	flows, keys, mappings page
	embedded              struct {
		Issuer string `json:"issuer"`
	}
}

// page is a list as Authentik answers it, as far as a create needs it.
type page struct {
	Results []struct {
		PK      string `json:"pk"`
		Slug    string `json:"slug"`
		Managed string `json:"managed"`
	} `json:"results"`
}

func (b *bound) lists() error {
	var g errgroup.Group
	get := func(base, path, token string, into any) {
		g.Go(func() error { return b.call(http.MethodGet, base+path, token, nil, into) })
	}
	get(b.s.AuthentikURL, "/api/v3/flows/instances/?page_size=100", b.s.AuthentikToken, &b.flows)
	get(b.s.AuthentikURL, "/api/v3/crypto/certificatekeypairs/?has_key=true", b.s.AuthentikToken, &b.keys)
	get(b.s.AuthentikURL, "/api/v3/propertymappings/provider/scope/?page_size=100", b.s.AuthentikToken, &b.mappings)
	get(b.s.NetBirdURL, "/oauth2/.well-known/openid-configuration", "", &b.embedded)
	return g.Wait()
}

func (b *bound) create() error {
	const id, secret = "benchclient", "benchsecretbenchsecretbenchsecret"
	provider := map[string]any{
		"name": "NetBird", "client_type": "confidential", "client_id": id, "client_secret": secret,
		"authorization_flow": b.flow("default-provider-authorization-explicit-consent"),
		"invalidation_flow":  b.flow("default-provider-invalidation-flow"),
		"redirect_uris":      []any{map[string]any{"matching_mode": "strict", "url": b.embedded.Issuer + "/callback"}},
		"property_mappings":  b.scopes("openid", "email", "profile"),
		"signing_key":        first(b.keys),
		"grant_types":        []string{"authorization_code", "refresh_token"},
	}
	err := b.call(http.MethodPut, b.s.AuthentikURL+"/api/v3/core/transactional/applications/", b.s.AuthentikToken, map[string]any{
		"app":            map[string]any{"name": "NetBird", "slug": "netbird"},
		"provider_model": "authentik_providers_oauth2.oauth2provider", "provider": provider,
	}, nil)
	if err != nil {
		return err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
	}
	if err := b.call(http.MethodGet, b.s.AuthentikURL+"/application/o/netbird/.well-known/openid-configuration", "", nil, &discovery); err != nil {
		return err
	}
	return b.call(http.MethodPost, b.s.NetBirdURL+"/api/identity-providers", b.s.NetBirdToken, map[string]any{
		"type": "authentik", "name": "Authentik", "issuer": discovery.Issuer, "client_id": id, "client_secret": secret,
	}, nil)
}

func (b *bound) flow(slug string) string {
	for _, f := range b.flows.Results {
		if f.Slug == slug {
			return f.PK
		}
	}
	return ""
}

func (b *bound) scopes(names ...string) []string {
	var out []string
	for _, name := range names {
		for _, m := range b.mappings.Results {
			if m.Managed == "goauthentik.io/providers/oauth2/scope-"+name {
				out = append(out, m.PK)
			}
		}
	}
	return out
}

func first(p page) string {
	if len(p.Results) == 0 {
		return ""
	}
	return p.Results[0].PK
}

func (b *bound) call(method, to, token string, body, into any) error {
	at, err := url.Parse(to)
	if err != nil {
		return err
	}
	var send io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, to, send)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.200s", method, at.Path, resp.Status, raw)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}
