"""The command line `ecm`."""

from ecm.local.cli.app import main

__all__ = ["main"]
