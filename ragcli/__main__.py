"""`python -m ragcli` is the same program as `ragcli`."""

from ragcli.cli.app import main

if __name__ == "__main__":
    main()
