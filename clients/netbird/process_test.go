package netbird

import "testing"

func TestSameRun(t *testing.T) {
	for name, c := range map[string]struct {
		before, after Process
		same, known   bool
	}{
		"the next request":                       {Process{"a", 100}, Process{"a", 101}, true, true},
		"the same answer":                        {Process{"a", 100}, Process{"a", 100}, true, true},
		"the counter went round":                 {Process{"a", 0xfffffe}, Process{"a", 3}, true, true},
		"another process":                        {Process{"a", 100}, Process{"b", 101}, false, true},
		"process 1 again, the counter went back": {Process{"a", 5000}, Process{"a", 40}, false, true},
		"process 1 again, the counter jumped":    {Process{"a", 40}, Process{"a", 9_000_000}, false, true},
		"a proxy took the header away":           {Process{"a", 40}, Process{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if same, known := c.after.SameRun(c.before); same != c.same || known != c.known {
				t.Errorf("same %t, known %t; want %t, %t", same, known, c.same, c.known)
			}
		})
	}
}
