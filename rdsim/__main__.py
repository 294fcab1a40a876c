"""`python -m rdsim` is the command `rdsim`."""

from rdsim.cli import main

main()
