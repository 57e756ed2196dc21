"""The command line of w2s-cache: click only, no logic."""
