"""The command line: machtin demo, feed, replay, run and the rest."""
