"""Whether this installation, this machine and this cache are fit for work."""
