package main

// The packages whose tests notice.
const (
	flowsRoom   = "flows"
	stateRoom   = "state"
	clientsRoom = "clients"
	engineFile  = "flows/engine.go"
	runFile     = "flows/run.go"
)

// mutations are the rules of the engine, each broken in the smallest way.
var mutations = []mutation{
	{"ownership: what stood there before we began is called ours", engineFile, []edit{
		{`open && began.Receipt.ObjectID == "" && p.Finding.ObjectID != ""`, `open && p.Finding.ObjectID != ""`},
	}, flowsRoom, "TestWhatStoodThereBeforeWeBeganIsNeverOurs|TestWhatStoodThereAndWasOnlyBegunIsNotDeleted"},

	{"began without an end: what a killed run made is nobody's", engineFile, []edit{
		{`p.Settle = open && began.Receipt.ObjectID == ""`, `p.Settle = false && began.Receipt.ObjectID == ""`},
	}, flowsRoom, "TestAKillAfterTheDeedIsSettledAsOursByTheNextRun|TestWhatALostAnswerMadeIsNotAskedAbout"},

	{"order: the deed comes before its line in the journal", runFile, []edit{
		{"	made := r.bundle(s)\n", "	made := r.bundle(s)\n	early, earlyErr := s.Do(context.Background(), r.facts, found)\n"},
		{"receipt, err := s.Do(ctx, r.facts, found)", "receipt, err := early, errors.Join(earlyErr, ctx.Err())"},
	}, flowsRoom, "TestADeedIsNotDoneWhoseLineTheDiskRefuses"},

	{"order: a step is done without a line that it began", runFile, []edit{
		{"if err := r.write(id, state.Began, intent, \"\", nil); err != nil {", "if err := error(nil); err != nil {"},
	}, flowsRoom, "TestAnUndisturbedRunWritesBeganBeforeEachDeedAndDoneAfterIt"},

	{"unknown is taken for refused: a lost answer closes the entry", runFile, []edit{
		{"errors.As(err, &n) || clients.KindOf(err) == clients.Unknown || errors.Is(err, context.DeadlineExceeded)", "errors.As(err, &n)"},
	}, flowsRoom, "TestALostAnswerThatTookEffectIsOursAndNotRepeated"},

	{"refused is taken for unknown: a refusal leaves the entry open", runFile, []edit{
		{"return errors.As(err, &n) || clients.KindOf(err)", "return err != nil || errors.As(err, &n) || clients.KindOf(err)"},
	}, flowsRoom, "TestARefusedRequestClosesItsEntryAndSaysWhatStands"},

	{"unseen is taken for failed: what can't be read is called not made", runFile, []edit{
		{"case now.Finding.Verdict == Blocked: // nobody saw", "case false: // nobody saw"},
	}, flowsRoom, "TestWhatCouldNotBeSeenIsNotCalledFailed"},

	{"a refusal forgets the lost change before it", runFile, []edit{
		{"if open { // an earlier attempt may have come about", "if false { // an earlier attempt may have come about"},
	}, flowsRoom, "TestARefusalAfterALostChangeForgetsNothing"},

	{"restore: the latest value is kept instead of the first", runFile, []edit{
		{"	maps.Copy(out.Before, now.Before)\n	maps.Copy(out.Before, past.Before)\n", "	maps.Copy(out.Before, past.Before)\n	maps.Copy(out.Before, now.Before)\n"},
	}, flowsRoom, "TestUndoRestoresWhatStoodBeforeTheFirstAttempt"},

	{"adoption: nobody is asked", runFile, []edit{
		{"	if r.agreed[about.ID] {\n", "	if true || r.agreed[about.ID] {\n"},
	}, flowsRoom, "TestARefusalOfAForeignObjectLeavesNoTrace|TestAForeignProviderIsTakenOverOnlyOnAYes"},

	{"adoption: the question comes after the first deed", engineFile, []edit{
		{"	for _, s := range p.Conflicts() {\n		if err := r.mayChange", "	for range 0 {\n		s := p.Steps[0]\n		if err := r.mayChange"},
	}, flowsRoom, "TestARefusalOfAForeignObjectLeavesNoTrace"},

	{"secrets: what is sent is not kept before", "flows/secret.go", []edit{
		{"if err := w.Secrets.Set(ctx, name, secret); err != nil {", "if err := error(nil); err != nil {"},
	}, flowsRoom, "TestASecretIsKeptBeforeItIsSent"},

	{"undo: what we did not make is taken back too", runFile, []edit{
		{"if why == \"\" && !receipt.Made && len(receipt.Before) == 0 {", "if false {"},
	}, flowsRoom, "TestWhatStoodThereAndWasLeftIsNotTouchedByTakingBack"},

	{"undo: a damaged journal forgets what stands", "flows/remove_look.go", []edit{
		{`if lost != "" && claimable(about.ID)`, `if lost == "never" && claimable(about.ID)`},
	}, flowsRoom, "TestADamagedJournalForgetsNothing"},

	{"undo: what somebody changed since is overwritten", "flows/remove_look.go", []edit{
		{"r.Will == WillRestore && restores(r.Step.ID)", "false && restores(r.Step.ID)"},
	}, flowsRoom, "TestWhatSomebodyChangedSinceIsShownAndTheirsIsLeft"},

	{"undo: a provider of another client id is deleted", "flows/provider.go", []edit{
		{`if id := s.clientID(); id == "" || p.ClientID != id {`, `if id := s.clientID(); id == "" || p.PK == 0 {`},
	}, flowsRoom, "TestAnotherProviderOfThatNumberIsLeft"},

	{"undo: from the first step to the last", engineFile, []edit{
		{"s := flow.Steps[i]", "s := flow.Steps[len(flow.Steps)-1-i]"},
	}, flowsRoom, "TestTakingBackGoesFromTheLastStepToTheFirst"},

	{"undo: the last way in is taken away unasked", "flows/remove.go", []edit{
		{`(r.Will == WillDelete || r.Will == WillAsk)`, `r.Will == WillAsk`},
	}, flowsRoom, "TestTheLastWayInGoesForAReasonOnly|TestTheLastWayInIsKnownWhereItsAnswerWasLost"},

	{"undo: why the last way in goes is told after it went", "flows/remove.go", []edit{
		{"if err := s.noteForce(force); err != nil {", "if err := error(nil); err != nil {"},
	}, flowsRoom, "TestTheLastWayInGoesForAReasonOnly"},

	{"renewal: the old app password stays beside setup.env", "flows/rotate_password.go", []edit{
		{"if err := s.forgetBackups(ctx); err != nil {", "if err := error(nil); err != nil {"},
	}, flowsRoom, "TestAnAppPasswordIsRenewedWithoutARefusedCall"},

	{"a tick without a look", runFile, []edit{
		{"	if after.Verdict != InPlace {\n", "	if false {\n"},
	}, flowsRoom, "TestAStepThatDoesNotStandAfterwardsIsNotTicked"},

	{"an interruption does not stop between steps", runFile, []edit{
		{"		if ctx.Err() != nil {\n			return nil, r.stop(s.About(), interruptionOf(ctx))", "		if false {\n			return nil, r.stop(s.About(), interruptionOf(ctx))"},
	}, flowsRoom, "TestAnInterruptionStopsBetweenStepsOnly"},

	{"journal: a lost setup.json makes each secret another one", "state/history.go", []edit{
		{"err == nil && len(salt) > 0 {", "err == nil && len(salt) < 0 {"},
	}, flowsRoom, "TestLostAnswersComeFromTheJournal"},

	{"the fault matrix: a lost answer closes the entry", runFile, []edit{
		{"errors.As(err, &n) || clients.KindOf(err) == clients.Unknown || errors.Is(err, context.DeadlineExceeded)", "errors.As(err, &n)"},
	}, flowsRoom, "TestMatrixConnector"},

	{"lock: two runs at once", "state/lock.go", []edit{
		{"	case got:\n", "	case got || errors.Is(err, context.DeadlineExceeded):\n"},
	}, stateRoom, "TestASecondLockIsTold"},

	{"journal: a line counts that the disk did not take", "state/write.go", []edit{
		{"		f.Truncate(s.journalSize)\n		return err\n", "		return nil\n"},
	}, stateRoom, "TestAFullDiskLosesNothing"},

	{"journal: a newer file is taken for a damaged one", "state/read.go", []edit{
		{"	case *v > version:\n		return &NewerError{path, *v}", "	case *v > version:\n		return &damagedError{file: path}"},
	}, stateRoom, "TestANewerFileIsNotTouched"},

	{"a create is sent twice", "clients/call.go", []edit{
		{"	case http.StatusBadGateway, http.StatusGatewayTimeout:\n		return c.read()", "	case http.StatusBadGateway, http.StatusGatewayTimeout:\n		return true"},
	}, clientsRoom, "TestFaults"},
}
