"""Statistics of every column of a CSV: event {"csv": "<text>"} to {"rows": ..., "columns": {...}}."""

import csv
import io
import math
import statistics
from collections import Counter

MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
TOP_VALUES = 3


def lambda_handler(event, context):
    rows = list(csv.DictReader(io.StringIO(event["csv"])))
    names = list(rows[0]) if rows else []
    report = {"rows": len(rows), "columns": {name: describe([row[name] for row in rows]) for name in names}}
    print(f"{len(rows)} rows, {len(names)} columns, {context.get_remaining_time_in_millis()} ms left")
    return report


def describe(values):
    """One column: numbers get their range and averages, anything else its most frequent values."""
    present = [value for value in values if value is not None and value.strip() not in MISSING]
    summary = {"count": len(present), "missing": len(values) - len(present)}
    numbers = as_numbers(present)
    if numbers:
        return summary | {
            "kind": "number",
            "min": min(numbers),
            "max": max(numbers),
            "mean": round(statistics.fmean(numbers), 4),
            "median": statistics.median(numbers),
            "stdev": round(statistics.stdev(numbers), 4) if len(numbers) > 1 else 0.0,
        }
    counts = Counter(present)
    return summary | {"kind": "text", "distinct": len(counts), "top": dict(counts.most_common(TOP_VALUES))}


def as_numbers(values):
    """All of `values` as finite floats, or None when one isn't."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None
