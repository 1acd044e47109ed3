package authentik

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

type deviceAnswer struct {
	Code     string `json:"device_code"`
	UserCode string `json:"user_code"`
	Complete string `json:"verification_uri_complete"`
	Error    string `json:"error"`
}

func (w *world) device(scope string) (deviceAnswer, int) {
	var out deviceAnswer
	resp := w.form("/application/o/device/", url.Values{"client_id": {"cid"}, "scope": {scope}}, &out)
	return out, resp.StatusCode
}

func deviceForm(code string) url.Values {
	return url.Values{"grant_type": {grantDevice}, "client_id": {"cid"}, "device_code": {code}}
}

func TestDeviceLogin(t *testing.T) {
	at := &clock{at: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	w := worldOf(t, Options{Token: adminKey, Now: at.now})
	w.link(map[string]any{"client_type": "public", "access_code_validity": "minutes=10"})
	got, _ := w.device("openid offline_access")
	if again := w.token(deviceForm(got.Code)); again.Error != "authorization_pending" {
		t.Fatalf("before anyone came: %+v", again)
	}
	b := w.browser()
	b.open(got.Complete)
	b.login()
	if b.status != 404 {
		t.Fatalf("a brand without the flow: %d at %s", b.status, b.at)
	}
	w.sim.AddFlow("default-device-code-flow", "stage_configuration", "require_authenticated")
	if err := w.sim.SetBrand("authentik-default", "default-device-code-flow"); err != nil {
		t.Fatal(err)
	}
	b.open(got.Complete)
	b.submit(nil)
	if !strings.Contains(b.page, "authenticated your device") {
		t.Fatalf("after the consent: %d %s", b.status, b.page)
	}
	if in := w.token(deviceForm(got.Code)); in.Access == "" || in.Refresh == "" {
		t.Errorf("approved: %+v", in)
	}
	typed, _ := w.device("openid")
	b.open(w.url + "/device")
	b.submit(map[string]string{"code": "000"})
	if !strings.Contains(b.page, "Invalid code") {
		t.Errorf("a wrong code: %s", b.page)
	}
	b.submit(map[string]string{"code": typed.UserCode})
	b.submit(nil)
	if in := w.token(deviceForm(typed.Code)); in.Access == "" {
		t.Errorf("typed in: %+v", in)
	}
	late, _ := w.device("openid")
	at.at = at.at.Add(10 * time.Minute)
	if got := w.token(deviceForm(late.Code)); got.Error != "expired_token" {
		t.Errorf("too late: %+v", got)
	}
}

func TestDeviceThrottle(t *testing.T) {
	at := &clock{at: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	w := worldOf(t, Options{Token: adminKey, Now: at.now})
	w.link(nil)
	for range devicePerHour {
		if _, status := w.device("openid"); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	if got, status := w.device("openid"); status != 429 || got.Error != "slow_down" {
		t.Errorf("one too many: %d %+v", status, got)
	}
	at.at = at.at.Add(time.Hour)
	if _, status := w.device("openid"); status != 200 {
		t.Errorf("an hour later: %d", status)
	}
}
