"""``python -m limen`` and the ``limen`` command."""

from limen.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
