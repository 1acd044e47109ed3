package doctor

import (
	"errors"
	"testing"
	"time"

	"authbird/clients/authentik"
	"authbird/facts"
)

func TestStandalonePreflight(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*facts.Facts)
		check   string // the one that isn't ok; "" for none
		verdict Verdict
	}{
		"all is well":                             {func(*facts.Facts) {}, "", OK},
		"NetBird doesn't run yet":                 {func(f *facts.Facts) { f.NetBird = facts.NetBird{} }, "", OK},
		"nobody looked for Docker":                {func(f *facts.Facts) { f.Local.Docker = facts.Fact[struct{}]{} }, "", OK},
		"Docker has no Compose":                   {func(f *facts.Facts) { f.Local.Docker.Err = errors.New("docker has no compose") }, "docker", Warn},
		"NetBird is set up here already":          {func(f *facts.Facts) { f.Local.AtRisk.Value = "configure.sh would blank the key" }, "configure-again", Warn},
		"its management.json is not ours to read": {func(f *facts.Facts) { f.Local.AtRisk.Err = errors.New("permission denied") }, "configure-again", Warn},
		"Authentik's clock runs ahead":            {func(f *facts.Facts) { f.Authentik.Hello.Value.Meta.Date = f.At.Add(time.Minute) }, "clocks", Warn},
		"Authentik's clock is behind":             {func(f *facts.Facts) { f.Authentik.Hello.Value.Meta.Date = f.At.Add(-time.Minute) }, "clocks", Warn},
		"the brand in force isn't shown":          {func(f *facts.Facts) { f.Authentik.Brands.Value[0].Domain = "other.example.com" }, "authentik-brand", Fail},
	} {
		t.Run(name, func(t *testing.T) {
			f := working()
			f.Local.Docker, f.Local.AtRisk = facts.Of(struct{}{}, nil), facts.Of("", nil)
			f.Authentik.Hello.Value = authentik.Hello{IsAuthentik: true}
			f.Authentik.Hello.Value.Meta.At, f.Authentik.Hello.Value.Meta.Date = f.At, f.At
			c.spoil(f)
			for _, r := range Judge(StandalonePreflight(wants()), f) {
				want := OK
				if r.ID == c.check {
					want = c.verdict
				}
				if r.Verdict != want || want != OK && r.Cause == "" {
					t.Errorf("%s: %s (%s), want %s", r.ID, r.Verdict, r.Cause, want)
				}
			}
		})
	}
}
