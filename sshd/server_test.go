package sshd

import "testing"

func TestAPersonLooksInAndLeaves(t *testing.T) {
	h := newHost(t, nil)
	h.goodLogin()
	end := h.ends(1)[0]
	if end.Why != "left" || end.Started == nil || end.User != "somebody" || end.Key == "" || end.Remote == "" {
		t.Errorf("the audit file says %+v", end)
	}
}
