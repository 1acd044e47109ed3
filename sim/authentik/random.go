package authentik

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
)

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	digits  = "0123456789"
	// deviceAlphabet has the awkward characters that real device codes have.
	deviceAlphabet = letters + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// bytes reads n random bytes. A source that runs dry is a broken test or a
// broken system, and nothing sensible can be answered then.
func (s *Server) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		panic(fmt.Sprintf("authentik: randomness: %v", err))
	}
	return b
}

func (s *Server) hex(n int) string { return hex.EncodeToString(s.bytes(n)) }

// text returns n characters of an alphabet, evenly.
func (s *Server) text(n int, alphabet string) string {
	out := make([]byte, 0, n)
	limit := 256 - 256%len(alphabet)
	for len(out) < n {
		for _, b := range s.bytes(n - len(out)) {
			if int(b) < limit {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// uuid returns a random UUID of version 4.
func (s *Server) uuid() string {
	b := s.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// number returns a random number below n.
func (s *Server) number(n int) int {
	return int(new(big.Int).Mod(new(big.Int).SetBytes(s.bytes(8)), big.NewInt(int64(n))).Int64())
}
