package doctor

import (
	"errors"
	"testing"

	"authbird/clients/authentik"
	"authbird/facts"
)

func TestABrandThatCouldNotBeReadIsNotWell(t *testing.T) {
	f := &facts.Facts{}
	f.Authentik.Brand = facts.Of(authentik.CurrentBrand{}, errors.New("cut off"))
	if got := proofDevice(f); got.Verdict != Fail || got.Evidence != "cut off" && got.Cause != "cut off" {
		t.Errorf("%+v", got)
	}
}
