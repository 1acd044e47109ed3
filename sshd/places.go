package sshd

import (
	"fmt"
	"sync"
)

// places counts sessions: in all, and of each key.
type places struct {
	most, mostOne int

	mu    sync.Mutex
	taken map[string]int
	all   int
}

// take takes a place, or says in a sentence why there is none.
func (p *places) take(fingerprint string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken[fingerprint] >= p.mostOne:
		return fmt.Errorf("this key has as many sessions as it may, which is %d; leave one first", p.mostOne)
	case p.all >= p.most:
		return fmt.Errorf("all %d places are taken; come back later", p.most)
	}
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	p.taken[fingerprint]++
	p.all++
	return nil
}

func (p *places) free(fingerprint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.taken[fingerprint]--; p.taken[fingerprint] == 0 {
		delete(p.taken, fingerprint)
	}
}
