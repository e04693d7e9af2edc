"""Measures from outside the consumers how far behind they are."""
