"""The command `copier-fastapi-sqlalchemy`, which also runs as `python -m copier_fastapi_sqlalchemy`."""

import sys


def main() -> None:
    """Load the commands and run one; Ctrl-C while they load is a line too."""
    try:
        from copier_fastapi_sqlalchemy.cli import app  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written.\n")
        sys.exit(130)
    app(prog_name="copier-fastapi-sqlalchemy")


if __name__ == "__main__":
    main()
