"""The groups of `machtin` commands, one module each."""
