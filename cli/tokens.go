package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"authbird/flows"
)

// longestToken is far beyond any token: an API token of Authentik has 60
// characters, a JWT of NetBird some 1,500.
const longestToken = 32 << 10

// tokens collects the admin tokens that were given by file or environment.
// What is missing stays empty: the keystore or a masked field may have it.
func (a *app) tokens() (flows.Tokens, error) {
	if a.world != nil {
		return flows.Tokens{Authentik: a.world.AuthentikToken, NetBird: a.world.NetBirdToken}, nil
	}
	var t flows.Tokens
	var err error
	if t.Authentik, err = a.token("authentik-token-file", a.opts.authentikToken, "AUTHENTIK_TOKEN"); err != nil {
		return t, err
	}
	t.NetBird, err = a.token("netbird-token-file", a.opts.netbirdFile, "NETBIRD_TOKEN")
	return t, err
}

// token reads one token: from the file, else from the environment.
func (a *app) token(flag, path, env string) (string, error) {
	if path == "" {
		return cleanToken(env, a.Getenv(env))
	}
	name := flagOr(flag, a.given)
	if path == "-" {
		raw, err := a.lines.rest(longestToken)
		if err != nil {
			return "", usagef("%s: read standard input: %v", name, err)
		}
		return someToken(name, raw)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", usagef("%s: %v", name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, longestToken+1))
	if err != nil {
		return "", usagef("%s: %v", name, err)
	}
	return someToken(name, string(raw))
}

func someToken(name, raw string) (string, error) {
	if strings.TrimSpace(raw) == "" {
		return "", usagef("%s: there is no token in it", name)
	}
	return cleanToken(name, raw)
}

// cleanToken refuses what can't travel in a header, without repeating it.
func cleanToken(name, raw string) (string, error) {
	token := strings.TrimSpace(raw)
	if len(token) > longestToken {
		return "", usagef("%s: it is too long to be a token", name)
	}
	if err := sayable(token); err != nil {
		return "", usagef("%s: %v", name, err)
	}
	return token, nil
}

// sayable says why a text can't be a token.
func sayable(token string) error {
	for _, r := range token {
		switch {
		case r == '\n' || r == '\r':
			return fmt.Errorf("it has more than one line, and a token has one")
		case r <= ' ' || r > '~':
			return fmt.Errorf("it has a character that no token has, such as a space or a quote from a word processor")
		}
	}
	return nil
}
