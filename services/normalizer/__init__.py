"""Raw articles in, clean articles out: parse, clean, identify."""
