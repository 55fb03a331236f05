"""The command line: the only room that talks to people, reads the environment and chooses exit codes."""
