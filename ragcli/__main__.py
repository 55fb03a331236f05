"""Where the program begins, as `ragcli` and as `python -m ragcli`: nothing here but the way in."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it; an interrupt while it loads is quiet too."""
    try:
        from ragcli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
