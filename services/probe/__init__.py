"""Plants articles of its own into the live stream and measures what becomes of them."""
