"""`python -m nitrogen`."""

from nitrogen.cli import main

if __name__ == "__main__":
    main()
