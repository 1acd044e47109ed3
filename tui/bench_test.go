package tui

import (
	"context"
	"testing"
	"time"

	"authbird/clients"
	"authbird/flows"
	"authbird/state"
)

func TestAuthentikIsAskedBeforeNetBirdsAddressIsKnown(t *testing.T) {
	asked := ""
	b := OnBench(&flows.Bench{Transport: func(string) (*clients.Transport, error) {
		return clients.New(clients.Options{
			Attempts: 1, Timeout: time.Minute, Wait: func(context.Context, time.Duration) error { return nil },
			Trace: func(e clients.Exchange) { asked = e.URL },
		})
	}})
	_, err := b.SeeAuthentik(t.Context(), state.Answers{Mode: state.Standalone, AuthentikURL: "http://127.0.0.1:1"}, "")
	if asked == "" || clients.KindOf(err) != clients.Unreachable {
		t.Errorf("asked %q, and the error is %v", asked, err)
	}
}
