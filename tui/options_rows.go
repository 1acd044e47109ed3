package tui

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// The rows of the options: those that both modes have, and each mode's own.

const (
	rowPlan      = "plan"
	rowAgain     = "again"
	rowSlug      = "slug"
	rowFlow      = "flow"
	rowKey       = "key"
	rowGroups    = "groups"
	rowConnector = "connector"
	rowType      = "type"
	rowSync      = "group-sync"
	rowLetIn     = "let-in"
	rowAccount   = "account"
	rowRights    = "rights"
	rowRedirects = "redirects"
	rowFlowSet   = "device-flow"
	rowEnvFile   = "env-file"
	rowEnvSecret = "env-secret"
	rowFound     = "found"
	rowConfig    = "config"
	rowSetup     = "setup"
	rowKeep      = "keep"
	rowStore     = "store"
	rowRestart   = "restart"
	rowEvery     = "every"
)

// mayBeEmpty are the typed rows that need no answer.
var mayBeEmpty = map[string]bool{rowRestart: true, rowConfig: true}

func optionRows(d draft) []row {
	a := d.answers
	rows := []row{
		{id: rowPlan, label: wordsSeePlan, kind: rowButton},
		{id: rowAgain, label: wordsListsAgain, kind: rowButton, hidden: true},
		{id: rowName, label: wordsOptName, field: newField(a.Name, ""), heading: "Authentik", why: wordsOptNameWhy},
		{id: rowSlug, label: wordsOptSlug, field: newField(a.Slug, "")},
		{id: rowFlow, label: wordsOptFlow, kind: rowPick, why: wordsOptFlowWhy},
		{id: rowKey, label: wordsOptKey, kind: rowPick, why: wordsOptKeyWhy},
		{id: rowGroups, label: wordsOptGroups, kind: rowPick, why: wordsOptGroupsWhy},
	}
	if a.Mode == state.Standalone {
		rows = append(rows, standaloneRows(d)...)
	} else {
		rows = append(rows, connectorRows(a)...)
	}
	every := row{id: rowEvery, label: wordsOptEvery, field: newField(strconv.Itoa(cmp.Or(a.RotateEvery, flows.RotateEvery)), ""), why: wordsOptEveryWhy}
	return append(rows, every, choice(rowStore, wordsOptStore, wordsOptStoreWhy, a.Keystore, "", wordsOptStoreAny,
		string(keystore.Keyring), wordsOptStoreRing, string(keystore.File), wordsOptStoreFile, string(keystore.Env), wordsOptStoreEnv))
}

func connectorRows(a state.Answers) []row {
	return []row{
		{id: rowConnector, label: wordsOptConn, field: newField(a.ConnectorName, ""), heading: "NetBird", why: wordsOptConnWhy},
		choice(rowType, wordsOptType, wordsOptTypeWhy, a.ConnectorType, "authentik", wordsOptTypeOwn, "oidc", wordsOptTypeOIDC),
		choice(rowSync, wordsOptSync, wordsOptSyncWhy, a.GroupSync, "", wordsOptSyncLeave, flows.GroupSyncOn, wordsOptSyncOn, flows.GroupSyncOff, wordsOptSyncOff),
		{id: rowLetIn, label: wordsOptLetIn, kind: rowPick, why: wordsOptLetInWhy},
		setupRow(),
		choice(rowKeep, wordsOptKeep, wordsOptKeepWhy, yesNo(a.KeepAdminTokens), "no", wordsOptKeepNo, "yes", wordsOptKeepYes),
		{id: rowRestart, label: wordsOptRestart, field: newField(a.RestartCommand, wordsOptRestartHint), why: wordsOptRestartWhy},
	}
}

func standaloneRows(d draft) []row {
	a := d.answers
	account := row{id: rowAccount, label: wordsOptAccount, field: newField(a.ServiceAccount, ""), why: wordsOptAccountWhy}
	env := row{id: rowEnvFile, label: wordsOptEnvFile, field: newField(below(d.folder, a.EnvFile), ""), heading: "NetBird", why: wordsOptEnvFileWhy}
	return []row{
		account,
		choiceOf(rowRights, wordsOptRights, a.Rights, wordsRights),
		choiceOf(rowRedirects, wordsOptRedirects, a.RedirectMode, wordsRedirects),
		choiceOf(rowFlowSet, wordsOptFlowSet, a.DeviceFlow, wordsFlowSets),
		env,
		choiceOf(rowEnvSecret, wordsOptEnvSecret, a.EnvSecret, wordsEnvSecrets),
		choiceOf(rowFound, wordsOptFound, foundLeave, wordsFounds),
		{id: rowConfig, label: wordsOptConfig, field: newField(a.NetBirdConfig, wordsOptConfigHint), why: wordsOptConfigWhy},
		setupRow(),
		choice(rowKeep, wordsOptKeepOne, wordsOptKeepOneWhy, yesNo(a.KeepAdminTokens), "no", wordsOptKeepNoOne, "yes", wordsOptKeepYes),
		{id: rowRestart, label: wordsOptRestart, field: newField(a.RestartCommand, wordsOptRestartHint), why: wordsOptRestartPassword},
	}
}

func setupRow() row {
	return row{id: rowSetup, label: wordsOptSetup, heading: wordsHere, why: wordsOptSetupWhy}
}

// choice is a row of pairs: each value and how it is called.
func choice(id, label, why, value string, pairs ...string) row {
	return row{id: id, label: label, kind: rowChoice, why: why, choice: newSelection(value, pairs...)}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// isDays says that a text is a number of days after which a credential may be
// due.
func isDays(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= 3650
}

// daysOf is that number; zero is the default, which is not kept as a choice.
func daysOf(text string, was int) int {
	n, err := strconv.Atoi(text)
	if err != nil || was == 0 && n == flows.RotateEvery {
		return was
	}
	return n
}

// below is a path taken from a folder, where it doesn't say more.
func below(folder, path string) string {
	if path == "" || folder == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// problemOf says what is wrong with what was typed into a row; "" is nothing.
func (s *optionsScreen) problemOf(id, value string) string {
	switch {
	case value == "" && mayBeEmpty[id]:
		return ""
	case value == "":
		return wordsNeedsText
	case id == rowEvery && !isDays(value):
		return wordsOptEveryBad
	case id == rowSlug && !slugOK.MatchString(value):
		return wordsSlugBad
	case id == rowSlug && flows.ValidSlug(value) != nil:
		return sentence(flows.ValidSlug(value).Error())
	case id == rowEnvFile && s.draft.guest && !PlainFile(value):
		return wordsGuestFileName
	case (id == rowEnvFile || id == rowConfig) && strings.HasPrefix(value, "~"):
		return wordsPathHome
	case id == rowSetup && s.draft.others[value] != "" && s.draft.others[value] != s.draft.answers.Mode:
		return fmt.Sprintf(wordsOptTaken, s.draft.others[value])
	}
	return ""
}
