package sshd

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate is what a connection passes before anybody has logged in by it. It keeps
// strangers from taking the places of others: of connections without a login
// there is a most in all and of one address, and where there are more the
// oldest is closed, so that somebody who logs in at once is let in even while
// others hold connections open. An address from which logins failed waits
// before its next one.
type gate struct {
	net.Listener
	most    int           // connections without a login
	mostOne int           // of one address
	grace   time.Duration // from the connection to the login
	now     func() time.Time

	mu      sync.Mutex
	waiting []*knock // without a login, oldest first
	fails   map[netip.Prefix]*failures
	inside  map[string]int // connections by the key that was logged in with
}

// knock is a connection.
type knock struct {
	net.Conn
	gate  *gate
	from  netip.Addr
	timer *time.Timer // closes it when the grace is over

	mu       sync.Mutex
	key      string // the fingerprint that was logged in with; "": none yet
	tried    bool   // a login was tried and failed
	left     bool   // it is counted no longer
	channels int    // open ones
	refused  int    // requests that were written down
	idle     *time.Timer
}

// failures are the failed logins of an address, less one for each while.
type failures struct {
	count float64
	at    time.Time
	told  time.Time // when the audit file was last told
}

const (
	freeFailures = 5                      // that cost no waiting
	failureFades = 10 * time.Second       // until one of them is forgotten
	failureCosts = 500 * time.Millisecond // of waiting, each
	longestWait  = 5 * time.Second        // at most, so that nobody is locked out
	mostRecords  = 4096                   // addresses that are remembered
)

func newGate(l net.Listener, grace time.Duration, now func() time.Time) *gate {
	return &gate{Listener: l, most: 100, mostOne: 30, grace: grace, now: now, fails: map[netip.Prefix]*failures{}, inside: map[string]int{}}
}

func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	k := &knock{Conn: conn, gate: g, from: addressOf(conn.RemoteAddr())}
	k.timer = time.AfterFunc(g.grace, func() { conn.Close() })
	g.enter(k)
	return k, nil
}

// enter counts a connection, and closes the oldest where there are too many.
func (g *gate) enter(k *knock) {
	g.mu.Lock()
	g.waiting = append(g.waiting, k)
	var out *knock
	ofOne := 0
	for _, w := range g.waiting {
		if w.from == k.from {
			ofOne++
		}
	}
	for _, w := range g.waiting {
		if ofOne > g.mostOne && w.from == k.from || ofOne <= g.mostOne && len(g.waiting) > g.most {
			out = w
			break
		}
	}
	g.mu.Unlock()
	if out != nil {
		out.Close()
	}
}

// shut closes what nobody has logged in by.
func (g *gate) shut() {
	g.mu.Lock()
	waiting := append([]*knock(nil), g.waiting...)
	g.mu.Unlock()
	for _, k := range waiting {
		k.Close()
	}
}

// leave counts a connection no longer.
func (g *gate) leave(k *knock) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == k {
			g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
			return
		}
	}
}

// Close counts a login that was tried and came to nothing.
func (k *knock) Close() error {
	k.timer.Stop()
	k.gate.leave(k)
	k.mu.Lock()
	if k.idle != nil {
		k.idle.Stop()
	}
	failed := k.tried && k.key == ""
	k.tried = false
	if k.key != "" && !k.left {
		k.left = true
		k.gate.count(k.key, -1)
	}
	k.mu.Unlock()
	if failed {
		k.gate.failed(k.from)
	}
	return k.Conn.Close()
}

// loggedIn says that it is somebody's now; it is closed where no session is
// open on it for longer than the grace.
func (k *knock) loggedIn(fingerprint string) {
	k.timer.Stop()
	k.gate.leave(k)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.key = fingerprint
	k.idle = time.AfterFunc(k.gate.grace, func() { k.Conn.Close() })
	if k.gate.count(fingerprint, 1) > mostInside {
		k.Conn.Close()
	}
}

// mostInside is how many connections one key has at most, with sessions or
// without.
const mostInside = 20

func (g *gate) count(fingerprint string, by int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside[fingerprint] += by
	n := g.inside[fingerprint]
	if n == 0 {
		delete(g.inside, fingerprint)
	}
	return n
}

func (k *knock) loginFailed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried = true
}

// mostChannels is how many channels one connection has at most.
const mostChannels = 4

// open takes a place for a channel; false where there is none.
func (k *knock) open() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.channels >= mostChannels {
		return false
	}
	k.channels++
	if k.idle != nil {
		k.idle.Stop()
	}
	return true
}

// mostRefused is how many refused requests of one connection are written down.
const mostRefused = 20

// tell says whether one more refused request is to be written down.
func (k *knock) tell() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused++
	return k.refused <= mostRefused
}

func (k *knock) shut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.channels--
	if k.channels == 0 && k.idle != nil {
		k.idle.Reset(k.gate.grace)
	}
}

// of is the record of an address: of IPv6 the network that one customer has.
func (g *gate) of(from netip.Addr) *failures {
	bits := 32
	if from.Is6() {
		bits = 64
	}
	prefix, err := from.Prefix(bits)
	if err != nil {
		return &failures{}
	}
	f := g.fails[prefix]
	if f == nil {
		if len(g.fails) >= mostRecords {
			g.forget()
		}
		f = &failures{at: g.now()}
		g.fails[prefix] = f
	}
	f.count = max(0, f.count-float64(g.now().Sub(f.at))/float64(failureFades))
	f.at = g.now()
	return f
}

// forget drops what has faded, and where nothing has, everything: it costs a
// stranger 4,096 addresses to be forgotten.
func (g *gate) forget() {
	for p, f := range g.fails {
		if g.now().Sub(f.at) > time.Duration(f.count*float64(failureFades)) {
			delete(g.fails, p)
		}
	}
	if len(g.fails) >= mostRecords {
		clear(g.fails)
	}
}

func (g *gate) failed(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.of(from)
	f.count = min(f.count+1, 60)
}

// wait is how long an address waits before its next login.
func (g *gate) wait(from netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := g.of(from).count - freeFailures
	return min(max(time.Duration(over*float64(failureCosts)), 0), longestWait)
}

// tell says whether a failed login of an address is to be written down: one a
// minute is, so that nobody fills a disk with them.
func (g *gate) tell(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.of(from)
	if !f.told.IsZero() && g.now().Sub(f.told) < time.Minute {
		return false
	}
	f.told = g.now()
	return true
}

// hold lets a connection wait as long as its address must.
func (g *gate) hold(ctx context.Context, k *knock, wait func(context.Context, time.Duration) error) {
	if d := g.wait(k.from); d > 0 {
		_ = wait(ctx, d) // where the server stops, the connection is closed soon
	}
}

// addressOf is a connection's other end; the zero Addr where it has none.
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
