"""One thin file per command: parse, load settings, call a room, hand the result to the output."""
