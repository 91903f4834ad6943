"""Write the catalogue's machines from two tables.

    python tools/catalog_machines.py --source DIR [--check]

DIR holds `machines.csv` and `machines_ext.csv`, joined by cloud, region and machine. An empty cell
is unknown and left out. With `--check` nothing is written; the exit code is 1 where the file is
not what the tables give.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plinth.catalog import CatalogError
from plinth.catalog.machine_table import DATA, read_machines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY: Final = ("cloud", "region", "machine")
NUMBERS: Final = frozenset(
    {
        "vcpu",
        "memory_gib",
        "gpu_count",
        "gpu_memory_gib",
        "local_ssd_gib",
        "network_gbps",
        "on_demand_usd_h",
        "spot_usd_h",
        "alloc_cpu_m",
        "alloc_memory_mib",
    }
)
BOOLEANS: Final = frozenset({"fractional_gpu"})

Cell = str | int | float | bool


def main(arguments: Sequence[str] | None = None, *, target: Path = DATA) -> int:
    """Write or check; 0 where all is well, 1 where a checked file is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    text = machines_text(options.source)
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{target.name}: {'stale' if options.check else 'written'}")
    if options.check:
        return 1
    target.write_text(text, encoding="utf-8")
    return 0


def machines_text(source: Path) -> str:
    """The catalogue file, one machine a line, by cloud and machine.

    Raises:
        CatalogError: the tables do not hold the same machines, or fail the catalogue's checks.
    """
    basic, more = (_rows(source / name) for name in ("machines.csv", "machines_ext.csv"))
    if basic.keys() != more.keys():
        odd = min(basic.keys() ^ more.keys())
        raise CatalogError(
            f"machines.csv and machines_ext.csv differ: {' '.join(odd)} is in one of them only"
        )
    # Names are unique within a cloud, which the checks hold to, so the region never decides.
    order = sorted(basic, key=lambda key: (key[0], key[2]))
    machines = [_typed({**basic[key], **more[key]}) for key in order]
    read_machines(machines)
    lines = ",\n".join(f"  {json.dumps(machine)}" for machine in machines)
    return f'{{\n "format": 1,\n "machines": [\n{lines}\n ]\n}}\n'


def _rows(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {tuple(row[column] for column in KEY): row for row in rows}
    if len(found) != len(rows):
        raise CatalogError(f"{path.name} holds a machine twice")
    return found


def _typed(row: Mapping[str, str]) -> dict[str, Cell]:
    return {column: _cell(column, text) for column, text in row.items() if text}


def _cell(column: str, text: str) -> Cell:
    if column in BOOLEANS:
        return text == "1"
    if column in NUMBERS:
        return int(text) if text.isdecimal() else float(text)
    return text


if __name__ == "__main__":
    sys.exit(main())
