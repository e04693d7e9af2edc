"""What `machtin quality` measures."""
