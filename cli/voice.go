package cli

import (
	"time"

	"authbird/flows"
	"authbird/state"
)

// voice is how a run is told: in plain lines for people, or in JSON for
// programs. The full screen is a third listener and lives in its own room.
type voice interface {
	// plan tells what a run would do.
	plan(setup string, p *flows.Plan)
	// event tells one thing that the engine says.
	event(setup string, e flows.Event)
	// standing tells of one setup as it stands on this machine.
	standing(s standing)
	// groups tells who may log in, by groups.
	groups(setup string, g flows.GroupsSeen)
	// outcome tells how one of several setups ended.
	outcome(out outcome)
	// exported tells a configuration of another tool.
	exported(setup, format, text string)
	// removal tells what taking back means for one object.
	removal(setup string, r flows.Removal)
	// diagnosis tells all that the doctor found of one connection.
	diagnosis(d *flows.Diagnosis)
	// changed tells what is otherwise than at the look before.
	changed(d *flows.Diagnosis, changes []change)
	// renewal tells of one credential, its age and when it is due.
	renewal(r flows.Renewal)
	// meaning tells what renewing a credential means, before it is done.
	meaning(setup string, r *flows.Rotation)
	// result is the last word.
	result(out outcome)
}

// standing is what is known of a setup without asking anybody.
type standing struct {
	Setup         string
	Mode          state.Mode
	AuthentikURL  string
	NetBirdURL    string
	State         string // one of the words below
	StoppedAt     string // the step's id, for a stopped one
	Why           string
	Since         time.Time // when it stopped, or the run began that works on it
	Keystore      string
	Damage        string
	Stands        []string // ids of the steps whose objects stand
	LoginSeen     time.Time
	Renewals      []flows.Renewal // its credentials
	NotRotatable  []string        // admin tokens that were forgotten after the run
	RunningPID    int             // of the run that works on it now; 0: none
	CommandToType string
}

// The states that a setup can be in, as far as this machine knows.
const (
	stateComplete = "complete"
	stateStopped  = "stopped"
	stateNotBegun = "not begun"
	stateUndone   = "taken back"
	stateDamaged  = "damaged"
	stateRunning  = "running"
)
