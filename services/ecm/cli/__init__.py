"""The command line `ecm`."""

from ecm.cli.app import main

__all__ = ["main"]
