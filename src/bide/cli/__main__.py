"""`python -m bide.cli` is `bide`."""

from bide.cli.main import main

main()
