package tui

// What only people read who come by SSH.
const (
	wordsGuestEnvFileWhy = "Its name. The file is made on the server that runs authbird, in your own folder there, and whoever runs the server hands it to you."
	wordsGuestFileName   = "Here it is a file's name: letters, digits, dots, - and _, and no folder."
	wordsGuestFile       = "It is on the server that runs authbird, in your own folder. Ask whoever runs it for the file; NetBird's configure.sh reads it."
	wordsGuestBack       = "Come back by the same ssh command"
	wordsLineGuestResume = "Log in again to go on with %s."
	wordsLineGuestFile   = "NetBird's values are on the server, in %s; whoever runs it can hand them to you"
)
