package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// challenge is what Authentik's flow executor asks, as far as a login goes.
type challenge struct {
	Component      string `json:"component"`
	To             string `json:"to"`
	Token          string `json:"token"`
	PasswordFields bool   `json:"password_fields"`
	ErrorMessage   string `json:"error_message"`
	ResponseErrors map[string][]struct {
		String string `json:"string"`
	} `json:"response_errors"`
}

// flow answers one of Authentik's flows by its API and returns where it leads.
func (b *browser) flow(ctx context.Context, at *url.URL, slug string) (string, error) {
	executor := *at
	executor.Path = "/api/v3/flows/executor/" + slug + "/"
	executor.RawQuery = url.Values{"query": {at.RawQuery}}.Encode()
	p, err := b.get(ctx, executor.String())
	for {
		for err == nil && p.next != "" {
			p, err = b.get(ctx, p.next)
		}
		if err != nil {
			return "", err
		}
		var c challenge
		if p.status != http.StatusOK || json.Unmarshal(p.body, &c) != nil {
			return "", pageError(p)
		}
		if c.Component == "xak-flow-redirect" {
			u, err := p.url.Parse(c.To)
			if err != nil {
				return "", err
			}
			return u.String(), nil
		}
		reply, err2 := b.reply(c)
		if err2 != nil {
			return "", err2
		}
		p, err = b.say(ctx, executor.String(), reply)
	}
}

// reply is a person's answer to a challenge.
func (b *browser) reply(c challenge) (map[string]any, error) {
	for field, errs := range c.ResponseErrors {
		for _, e := range errs {
			return nil, fmt.Errorf("the %s was refused at Authentik: %s", field, e.String)
		}
	}
	reply := map[string]any{"component": c.Component}
	switch c.Component {
	case "ak-stage-identification":
		reply["uid_field"] = b.in.Username
		if c.PasswordFields {
			reply["password"] = b.in.Password
		}
	case "ak-stage-password":
		reply["password"] = b.in.Password
	case "ak-stage-consent":
		reply["token"] = c.Token
	case "ak-stage-user-login":
		reply["remember_me"] = false
	case "ak-stage-access-denied":
		return nil, fmt.Errorf("access was denied at Authentik: %s", c.ErrorMessage)
	default:
		return nil, fmt.Errorf("this login has no answer to %s", c.Component)
	}
	return reply, nil
}

func (b *browser) say(ctx context.Context, where string, reply map[string]any) (page, error) {
	body, err := json.Marshal(reply)
	if err != nil {
		return page{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(body))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	for _, c := range b.http.Jar.Cookies(req.URL) {
		if c.Name == "authentik_csrf" {
			req.Header.Set("X-authentik-CSRF", c.Value)
		}
	}
	return b.do(req)
}
