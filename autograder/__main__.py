"""`python -m autograder` and the installed command."""


def main() -> None:
    """Run the command line. It is loaded here, so that the processes that judge do not load it."""
    from autograder.cli import main

    main()


if __name__ == "__main__":
    main()
