"""``python -m eseal``: the command line."""

from eseal.cli import main

main()
