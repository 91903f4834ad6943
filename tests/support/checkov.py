"""checkov over every Terraform root that we compile, against one reviewed list of exceptions a cloud.

    PYTHONPATH=tests python -m support.checkov      install it if need be, scan, print what it found by cloud

It is no dependency of ours: it pins half of PyPI, so it has an environment of its own, in a cache outside the
repository. Two readings of the same roots: as they are written (`terraform_json`), and as Terraform plans them
(`terraform_plan`), where references are followed. `main.tf.json` is left out of the first, for checkov's parser
takes no nested settings and it declares no resource.

Source: checkov documentation, "CLI Command Reference", "Terraform Plan Scanning".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
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
from support.modules import Modules
from support.roots import of_edition, roots, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.roots import Files
    from support.terraform import JsonObject

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
    return _scan(program, "terraform_json", work)


def scan_planned(program: Path, plans: Mapping[str, JsonObject], work: Path) -> Scan:
    """The plans of some roots."""
    for name, plan in plans.items():
        (work / f"{name.replace('/', '--')}.json").write_text(json.dumps(plan), encoding="utf-8")
    return _scan(program, "terraform_plan", work)


def _scan(program: Path, framework: str, work: Path) -> Scan:
    # The program looks at nothing but these files, so what it said of them once it would say again.
    report = _folder() / "reports" / f"{digest(f'{program} {VERSION} {framework}', work)}.json"
    if not report.is_file():
        report.parent.mkdir(parents=True, exist_ok=True)
        printed = _run(program, "--framework", framework, "--directory", str(work))
        partial = report.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(printed), encoding="utf-8")
        partial.replace(report)
    reports = json.loads(report.read_text(encoding="utf-8"))
    return Scan(
        passed=sum(each["summary"]["passed"] for each in reports if "summary" in each),
        failed=tuple(sorted((each["check_id"], _name(each)) for each in _failed(reports))),
        unread=tuple(path for each in reports for path in each.get("results", {}).get("parsing_errors", ())),
    )


def digest(asked: str, work: Path) -> str:
    """Of what is asked of which files; a plan says when it was made, and that changes nothing."""
    found = hashlib.sha256(asked.encode())
    for path in sorted(path for path in work.rglob("*") if path.is_file()):
        content = _TIME.sub(b"", path.read_bytes())
        found.update(f"\0{path.relative_to(work)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


_TIME: Final = re.compile(rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z")


def _run(program: Path, *arguments: str) -> list[dict[str, Any]]:
    command = [str(program), *arguments, "--skip-download", "--output", "json", "--compact", "--quiet"]
    environment = {**os.environ, "BC_API_KEY": "", "LOG_LEVEL": "ERROR"}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    reports = json.loads(result.stdout)
    return reports if isinstance(reports, list) else [reports]


def _failed(reports: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for report in reports:
        yield from report.get("results", {}).get("failed_checks", ())


def _name(failed: Mapping[str, Any]) -> str:
    return f"{Path(failed['file_path']).stem.removesuffix('.tf')}: {failed['resource']}"


def plans(judged: Callable[[str], Modules]) -> dict[str, JsonObject]:
    """The plan of each root with the oldest recordings that it may be run with, given what is said of an edition."""
    found: dict[str, JsonObject] = {}
    for edition in recordings.EDITIONS:
        found = judged(edition).plans | found
    return found


def main() -> int:
    """Scan, print, and say with the exit code whether anything fails that is no exception."""
    program = install()
    tool = terraform.find("terraform")
    if tool is None:
        raise SystemExit(terraform.missing("terraform"))
    is_fine = True
    with stub_provider.serving() as served, tempfile.TemporaryDirectory() as temporary:

        def judged(edition: str) -> Modules:
            work = _made(temporary, edition)
            return Modules(
                tool, of_edition(edition), work=work, reattach=served(recordings.EDITIONS[edition]())
            )

        planned = plans(judged)
        for cloud, some in by_cloud().items():
            scans = {
                "as written": scan_written(program, some, _made(temporary, cloud, "written")),
                "as planned": scan_planned(
                    program, {name: planned[name] for name in some}, _made(temporary, cloud, "planned")
                ),
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


def _made(*parts: str) -> Path:
    folder = Path(*parts)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
