"""`python -m algomatic_cli` is the command `algomatic`."""

from algomatic_cli.main import main

if __name__ == "__main__":
    main()
