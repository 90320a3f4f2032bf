"""The command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .summary import summarize


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the summary of a CSV file and return the exit code.

    A file that cannot be read is code 1, and a mistake in the arguments, by argparse's own custom, code 2.
    """
    options = _parser().parse_args(arguments)
    try:
        table = pd.read_csv(options.file, sep=options.separator)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"cannot read {options.file}: {reason}", file=sys.stderr)
        return 1
    print(summarize(table))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Summarize a CSV file: its columns, its missing values, its numbers.",
    )
    parser.add_argument("file", type=Path, help="the CSV file")
    parser.add_argument(
        "-s",
        "--separator",
        default=",",
        help="what stands between two values (default: a comma)",
    )
    return parser
