package tui

// What went wrong, in words, and what to do.
const (
	wordsTooLong           = "no answer in time"
	wordsPassWrong         = "the passphrase doesn't open the file"
	wordsKeyringLocked     = "the keyring is locked, or doesn't answer"
	wordsAdviceUnreachable = "Is the address right, and does this machine reach it?"
	wordsAdviceWrongServer = "Is this the right address? Give the server's own, as a browser shows it."
	wordsAdviceToken       = "The token is wrong, has expired, or belongs to another server."
	wordsAdviceRights      = "The account behind the token lacks the right."
	wordsAdviceLater       = "The server asks to come back in a while."
	wordsAdviceVersion     = "This version of the server can't do it."
	wordsAdviceUnknown     = "It was sent, and no answer came. Look again to see what became of it."
)
