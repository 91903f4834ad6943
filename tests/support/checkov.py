"""checkov over every Terraform root that we compile, against one reviewed list of exceptions a cloud.

    PYTHONPATH=tests python -m support.checkov      install it if need be, scan, print what it found by cloud

It is no dependency of ours: it pins half of PyPI, so it has an environment of its own, in a cache outside the
repository. Two readings of the same roots: as they are written (`terraform_json`), and as Terraform plans them
(`terraform_plan`), where references are followed. `main.tf.json` is left out of the first, for checkov's parser
takes no nested settings and it declares no resource.

Source: checkov documentation, "CLI Command Reference", "Terraform Plan Scanning".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from plinth.catalog.machines import CLOUDS
from support import recordings, stub_provider, terraform
from support.roots import roots, whole, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.roots import Files

VERSION: Final = "3.3.30"
DATA: Final = Path(__file__).parents[1] / "data"
MISSING: Final = "checkov is not installed: run `make checkov`"
MOST_EXCEPTIONS: Final = {"gcp": 8, "aws": 3, "azure": 8}
"""Checks that may fail on a cloud, each with a reason that somebody has read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What checkov says of the roots of one cloud in one reading."""

    passed: int
    failed: tuple[tuple[str, str], ...]
    """Check and resource of each failure."""
    unread: tuple[str, ...]
    """Files that it could not parse."""

    @property
    def checks(self) -> frozenset[str]:
        """The checks that fail anywhere."""
        return frozenset(check for check, _ in self.failed)


def find() -> Path | None:
    """The program, None where it is not installed."""
    program = Path(os.environ.get("PLINTH_CHECKOV") or _folder() / "bin" / "checkov")
    return program if program.is_file() else None


def install() -> Path:
    """The program, installed into the cache where it is not there."""
    found = find()
    if found is None:
        venv.create(_folder(), with_pip=True)
        pip = [str(_folder() / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", f"checkov=={VERSION}"], check=True)
        found = _folder() / "bin" / "checkov"
    return found


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / f"plinth-checkov-{VERSION}"


def exceptions(cloud: str) -> dict[str, str]:
    """The checks that may fail on a cloud, and why."""
    path = DATA / "checkov" / f"{cloud}.yaml"
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {entry["check"]: entry["reason"] for entry in entries}


def by_cloud() -> dict[str, dict[str, Files]]:
    """The roots of each cloud by their names."""
    found: dict[str, dict[str, Files]] = {cloud: {} for cloud in CLOUDS}
    for name, files in roots().items():
        required = json.loads(files["main.tf.json"])["terraform"]["required_providers"]
        cloud = next(_CLOUD_OF[each] for each in required if each in _CLOUD_OF)
        found[cloud][name] = files
    return found


_CLOUD_OF: Final = {"google": "gcp", "aws": "aws", "azurerm": "azure"}


def scan_written(program: Path, some: Mapping[str, Files], work: Path) -> Scan:
    """The roots as their files say them."""
    for name, files in some.items():
        kept = {each: content for each, content in files.items() if each != "main.tf.json"}
        written(kept, work / name.replace("/", "--"))
    return _scan(program, "--framework", "terraform_json", "--directory", str(work))


def scan_planned(
    program: Path, some: Mapping[str, Files], work: Path, served: Callable[[recordings.Recordings], str]
) -> Scan:
    """The roots as Terraform plans them."""
    tool = terraform.find("terraform")
    if tool is None:
        raise FileNotFoundError(terraform.missing("terraform"))
    arguments = []
    for name, files in some.items():
        folder = work / name.replace("/", "--")
        folder.mkdir(parents=True)
        reattach = served(
            next(each() for each in recordings.EDITIONS.values() if recordings.allowed(whole(files), each()))
        )
        plan = terraform.plan(tool, written(files, folder / "files"), work=folder, reattach=reattach)
        path = folder / "plan.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        arguments += ["--file", str(path)]
    return _scan(program, "--framework", "terraform_plan", *arguments)


def _scan(program: Path, *arguments: str) -> Scan:
    command = [str(program), *arguments, "--skip-download", "--output", "json", "--compact"]
    environment = {**os.environ, "BC_API_KEY": "", "LOG_LEVEL": "ERROR"}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    reports = json.loads(result.stdout)
    reports = reports if isinstance(reports, list) else [reports]
    return Scan(
        passed=sum(each["summary"]["passed"] for each in reports if "summary" in each),
        failed=tuple(sorted((each["check_id"], _name(each)) for each in _failed(reports))),
        unread=tuple(path for each in reports for path in each.get("results", {}).get("parsing_errors", ())),
    )


def _failed(reports: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for report in reports:
        yield from report.get("results", {}).get("failed_checks", ())


def _name(failed: Mapping[str, Any]) -> str:
    return f"{Path(failed['file_path']).stem.removesuffix('.tf')}: {failed['resource']}"


def main() -> int:
    """Scan, print, and say with the exit code whether anything fails that is no exception."""
    program = install()
    is_fine = True
    with stub_provider.serving() as served, tempfile.TemporaryDirectory() as temporary:
        for cloud, some in by_cloud().items():
            if not some:
                continue
            work = Path(temporary) / cloud
            (work / "written").mkdir(parents=True)
            scans = {
                "as written": scan_written(program, some, work / "written"),
                "as planned": scan_planned(program, some, work / "planned", served),
            }
            allowed = exceptions(cloud)
            for reading, scan in scans.items():
                unexplained = Counter(check for check, _ in scan.failed if check not in allowed)
                is_fine = is_fine and not unexplained
                sys.stdout.write(
                    f"{CLOUDS[cloud]}, {len(some)} roots {reading}: {scan.passed} passed, "
                    f"{len(scan.failed)} failed by {len(scan.checks & allowed.keys())} exceptions, "
                    f"{unexplained.total()} unexplained {dict(unexplained) or ''}".rstrip()
                    + "\n"
                )
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
