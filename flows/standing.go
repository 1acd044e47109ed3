package flows

import (
	"context"

	"authbird/facts"
	"authbird/state"
)

// Standing reads, whole and without secrets, what the setup has at its servers.
// It changes nothing.
func (s *Session) Standing(ctx context.Context) (facts.Standing, error) {
	id := func(step string) string {
		receipt, _ := s.setup.Last(step)
		return receipt.ObjectID
	}
	ask := facts.StandingAsk{
		ClientID: s.clientID(), Slug: s.Answers.Slug, Connector: id(stepConnector), Settings: id(stepGroupSync) != "",
	}
	if s.Answers.Mode == state.Standalone {
		ask.Account, ask.Token = id(stepServiceAccount), id(stepAppPassword)
		ask.Role, ask.Group = id(stepRole), id(stepReaderGroup)
		ask.Flow, ask.Brand = id(stepDeviceFlow), id(stepBrand)
	}
	return s.bench.reader(s.servers).Standing(ctx, ask)
}
