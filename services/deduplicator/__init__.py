"""Finds copies of articles inside one edition."""
