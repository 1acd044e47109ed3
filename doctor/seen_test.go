package doctor

import "testing"

func TestEvidenceIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		r    Result
		want string
	}{
		"it adds something":              {Result{Evidence: "role user", Cause: "the token may not make connectors"}, "role user"},
		"the cause ends in it":           {Result{Evidence: "connection timed out", Cause: "NetBird can't reach Authentik: connection timed out"}, ""},
		"in other letters and with dots": {Result{Evidence: "Connection  timed out.", Cause: "it said: connection timed out"}, ""},
		"the title says it":              {Result{Evidence: "the domain is set", Title: "the domain is set"}, ""},
		"there is none":                  {Result{Cause: "it is so"}, ""},
		"there is nothing but it":        {Result{Evidence: "no answer", Title: "Authentik answers"}, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.r.Seen(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
