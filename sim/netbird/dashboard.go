package netbird

import "net/http"

// dashLogin is a login that the simulator's dashboard began.
type dashLogin struct{ verifier string }

func (s *Server) serveDashboard(w http.ResponseWriter, r *http.Request) { notFound(w) }
