"""`python -m w2s_cache_cli`: the program without its script."""

from w2s_cache_cli.main import cli

if __name__ == "__main__":
    cli()
