package hostfiles

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStanding(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"nothing":                     {nil, ""},
		"as configure.sh leaves it":   {[]string{"artifacts/management.json"}, "artifacts/management.json"},
		"beside setup.env":            {[]string{"management.json"}, "management.json"},
		"both: NetBird runs on one":   {[]string{"management.json", "artifacts/management.json"}, "artifacts/management.json"},
		"a folder of that name, only": {[]string{"artifacts/management.json/x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range c.files {
				path := filepath.Join(dir, filepath.FromSlash(f))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want := c.want
			if want != "" {
				want = filepath.Join(dir, filepath.FromSlash(want))
			}
			if got := Standing(dir); got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}
