package keystore

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Variable is the environment variable of a credential: AUTHENTIK_TOKEN and
// NETBIRD_TOKEN for the admin tokens, AUTHBIRD_CLIENT_SECRET and the like for all
// others. "" if the name can't be one.
func Variable(name string) string {
	variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if strings.Trim(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	if strings.HasPrefix(name, AuthentikToken) || strings.HasPrefix(name, NetBirdToken) {
		return variable
	}
	return "AUTHBIRD_" + variable
}

// envStore reads secrets from the environment, which is the same for all setups.
// What it is given goes into memory and lasts as long as the process.
type envStore struct {
	getenv func(string) string
	say    func(string)

	mu     sync.Mutex
	memory map[entry]string // "": deleted for this run
}

func newEnvStore(o Options) *envStore {
	return &envStore{getenv: o.Getenv, say: o.Say, memory: map[entry]string{}}
}

func (s *envStore) where() string { return "the environment" }

func (s *envStore) get(_ context.Context, e entry) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.memory[e]; ok {
		if value == "" {
			return "", ErrAbsent
		}
		return value, nil
	}
	variable := Variable(e.name)
	if variable == "" {
		return "", ErrAbsent
	}
	if value := s.getenv(variable); value != "" {
		return value, nil
	}
	return "", fmt.Errorf("%w: %s is not set", ErrAbsent, variable)
}

// set takes a value that the environment has already, or has not and so does not
// contradict. One that contradicts it would be lost with the process, and the next
// run would read the old one: refused.
func (s *envStore) set(_ context.Context, e entry, value string) error {
	variable := Variable(e.name)
	if variable == "" {
		return fmt.Errorf("%w: no variable is called that", ErrReadOnly)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, kept := s.memory[e]
	switch outside := s.getenv(variable); {
	case outside == value:
		delete(s.memory, e)
		return nil
	case outside != "" && !kept:
		return fmt.Errorf("%w: %s holds another value", ErrReadOnly, variable)
	}
	s.memory[e] = value
	s.say(fmt.Sprintf("The %s of %s is kept for this run only. Set %s for later runs.", e.name, e.setup, variable))
	return nil
}

// delete hides the variable for the rest of the run; unsetting it is the person's.
func (s *envStore) delete(_ context.Context, e entry) error {
	variable := Variable(e.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.getenv(variable) == "" {
		delete(s.memory, e)
		return nil
	}
	s.memory[e] = ""
	s.say(fmt.Sprintf("The %s of %s is not needed any more. Unset %s.", e.name, e.setup, variable))
	return nil
}
