package netbird

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rs/xid"
)

// process is what a running server process brings into the ids it makes. A
// restart gives another one: that is how a restart is seen from outside.
type process struct {
	machine [3]byte
	pid     uint16
	counter uint32
}

// next makes an xid: seconds, machine, process, counter.
func (p *process) next(now time.Time) string {
	var b [12]byte
	binary.BigEndian.PutUint32(b[0:], uint32(now.Unix()))
	copy(b[4:], p.machine[:])
	binary.BigEndian.PutUint16(b[7:], p.pid)
	p.counter = (p.counter + 1) & 0xffffff
	b[9], b[10], b[11] = byte(p.counter>>16), byte(p.counter>>8), byte(p.counter)
	return xid.ID(b).String()
}

// random reads n bytes. A source that runs dry is a mistake of the test that
// gave it, and there is no answer to give.
func random(r io.Reader, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		panic(fmt.Sprintf("sim/netbird: no randomness: %v", err))
	}
	return b
}

// restarted is the next process: another pid, the counter somewhere else.
func (p process) restarted(r io.Reader) process {
	b := random(r, 5)
	pid := binary.BigEndian.Uint16(b)
	if pid == p.pid {
		pid++
	}
	return process{machine: p.machine, pid: pid, counter: uint32(b[2])<<16 | uint32(b[3])<<8 | uint32(b[4])}
}

func newUUID(r io.Reader) string {
	id, err := uuid.NewRandomFromReader(r)
	if err != nil {
		panic(fmt.Sprintf("sim/netbird: no randomness: %v", err))
	}
	return id.String()
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// secureID is how the embedded identity provider names requests and codes.
func secureID(r io.Reader, n int) string {
	b := random(r, n)
	return string('a'+b[0]%26) + lowerBase32.EncodeToString(b[1:])
}

// userCode is what a person types for a device: XXXX-XXXX, without vowels.
func userCode(r io.Reader) string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	b := random(r, 8)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b[:4]) + "-" + string(b[4:])
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newPAT makes a personal access token: prefix, secret, checksum.
func newPAT(r io.Reader) string {
	b := random(r, 30)
	for i := range b {
		b[i] = base62[int(b[i])%62]
	}
	sum := new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE(b)))
	digits := ""
	for sum.Sign() > 0 {
		var d big.Int
		sum.DivMod(sum, big.NewInt(62), &d)
		digits = string(base62[d.Int64()]) + digits
	}
	return "nbp_" + string(b) + strings.Repeat("0", 6-len(digits)) + digits
}

// newPassword makes the password of a user who is invited by e-mail: long, and
// with each kind of character.
func newPassword(r io.Reader) string {
	const more = "!@#$%&*"
	b := random(r, 16)
	for i := range b {
		b[i] = base62[int(b[i])%62]
	}
	b[0], b[5], b[10] = more[int(b[0])%len(more)], 'a'+b[5]%26, '0'+b[10]%10
	return string(b)
}

// pair is the protobuf message with two strings that the embedded identity
// provider uses for subjects (user, connector) and refresh tokens (id, token).
func pair(a, b string) []byte {
	out := append([]byte{0x0a}, binary.AppendUvarint(nil, uint64(len(a)))...)
	out = append(out, a...)
	out = append(out, 0x12)
	out = append(out, binary.AppendUvarint(nil, uint64(len(b)))...)
	return append(out, b...)
}

// subject is a user's id in NetBird: who, and by which connector.
func subject(userID, connectorID string) string {
	return base64.RawURLEncoding.EncodeToString(pair(userID, connectorID))
}

// parsePair reads a pair the way NetBird does: lengths are one byte each, so a
// user id of 128 bytes and more does not come out right.
func parsePair(encoded string) (first, second string, ok bool) {
	buf, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		if buf, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return "", "", false
		}
	}
	for i := 0; i < len(buf); {
		tag := buf[i]
		if tag&7 != 2 || i+1 >= len(buf) {
			return "", "", false
		}
		n := int(buf[i+1])
		i += 2
		if i+n > len(buf) {
			return "", "", false
		}
		switch tag >> 3 {
		case 1:
			first = string(buf[i : i+n])
		case 2:
			second = string(buf[i : i+n])
		}
		i += n
	}
	return first, second, true
}

// connectorOf is the connector in a user's id, "" if there is none.
func connectorOf(userID string) string {
	_, connector, ok := parsePair(userID)
	if !ok {
		return ""
	}
	return connector
}

// parseRefresh reads a refresh token back.
func parseRefresh(token string) (id, secret string) {
	buf, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return token, ""
	}
	a, b, ok := parsePair(base64.RawStdEncoding.EncodeToString(buf))
	if !ok {
		return token, ""
	}
	return a, b
}
