"""The commands of `w2s-cache cache`, one per file."""
