"""Sales of a small shop, read from a CSV file."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Sale:
    """One line of a receipt."""

    day: date
    region: str
    product: str
    amount: float


def read_sales(path: Path) -> list[Sale]:
    """Read the sales of a CSV file with the columns day, region, product and amount."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Sale(date.fromisoformat(row["day"]), row["region"], row["product"], float(row["amount"]))
            for row in csv.DictReader(file)
        ]
