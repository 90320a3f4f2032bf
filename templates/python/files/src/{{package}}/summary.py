"""What a table holds: its columns, its gaps, its numbers."""

import pandas as pd


def columns(table: pd.DataFrame) -> pd.DataFrame:
    """List the columns with their types and how many of their values are missing.

    >>> table = pd.DataFrame({"city": ["Oslo", None], "rain": [4.5, 6.0]})
    >>> print(columns(table))
             type  missing
    city      str        1
    rain  float64        0
    """
    return pd.DataFrame(
        {"type": table.dtypes.astype(str), "missing": table.isna().sum()}
    )


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the numeric columns; missing values do not count.

    >>> table = pd.DataFrame({"city": ["Oslo", "Bergen"], "rain": [4.5, 6.0]})
    >>> numbers(table).loc["rain"].to_dict()
    {'mean': 5.25, 'std': 1.06, 'min': 4.5, 'median': 5.25, 'max': 6.0}

    A table without numbers has an empty description:

    >>> numbers(table[["city"]]).empty
    True
    """
    numeric = table.select_dtypes("number")
    return pd.DataFrame(
        {
            "mean": numeric.mean(),
            "std": numeric.std(),
            "min": numeric.min(),
            "median": numeric.median(),
            "max": numeric.max(),
        }
    )


def summarize(table: pd.DataFrame) -> str:
    """Write the summary of a table as text.

    >>> print(summarize(pd.DataFrame({"city": ["Oslo", None]})))
    2 rows, 1 column
    <BLANKLINE>
         type  missing
    city  str        1
    """
    sections = [
        f"{_count(len(table), 'row')}, {_count(table.columns.size, 'column')}",
        columns(table).to_string(),
    ]
    described = numbers(table)
    if not described.empty:
        sections.append(described.to_string(float_format="{:.6g}".format))
    return "\n\n".join(sections)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
