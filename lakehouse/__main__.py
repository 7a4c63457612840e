"""`python -m lakehouse`, for where the console script is not on the path."""

from lakehouse.cli import main

main()
