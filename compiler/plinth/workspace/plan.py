"""What a write would do to the tree, decided before anything is touched.

A file is ours if its bytes are what some compile gave: the one that we want now, one that a
ledger on disk tells of (the settled one, or the next one of a write that was killed), or one
that the caller knows of (a parent commit's, after a merge). Anything else at one of our paths
is a person's edit, and anything else in our folders is a stranger's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from plinth.ir.digest import digest, digest_if_any
from plinth.ir.fileset import FileSet, check_paths
from plinth.workspace.errors import NotAFile, NotAFolder
from plinth.workspace.groups import VENDOR, Known, Ours, belongs, read_group
from plinth.workspace.places import ledger_paths, names_on_disk
from plinth.workspace.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.workspace.folders import Folders

STAGE: Final = ".plinth/stage"


class Plan(Struct, frozen=True, kw_only=True):
    """What a write does; made by `Workspace.plan`, carried out by `Workspace.write`."""

    files: Mapping[str, bytes]
    """New contents of files that are missing or differ, ledgers apart."""
    obsolete: tuple[str, ...]
    """Files on disk that a ledger tells of and that nobody wants any more."""
    announced: Mapping[str, bytes]
    """Next ledgers, to be in place before the first file is."""
    ledgers: Mapping[str, bytes]
    """New contents of ledgers, to be in place after the last file is."""
    spent: tuple[str, ...]
    """Ledgers that have no place in the finished tree: next ones, and those of removed groups."""
    edited: tuple[str, ...]
    """Those of `files` and `obsolete` that hold somebody's own bytes."""
    foreign: tuple[str, ...]
    """Files in our folders that are not ours; Terraform's own are not listed."""
    leftovers: tuple[str, ...]
    """Empty folders, the deepest first, and the stage of a write that was killed."""
    unchanged: int
    """How many files, ledgers apart, are on disk as they should be."""
    overwrite: bool
    folders: frozenset[str]
    """Every folder of the finished tree that holds a file of ours."""
    digests: Mapping[str, str]
    """Path -> digest of every file of the finished tree that the plan speaks of, ledgers among them."""
    seen: Mapping[str, str | None]
    """Digest on disk of everything that the plan rests on or replaces; `None` where there is no file."""

    @property
    def written(self) -> tuple[str, ...]:
        """Paths that get new bytes, the ledgers among them; sorted."""
        return tuple(sorted((*self.files, *self.ledgers)))

    @property
    def removed(self) -> tuple[str, ...]:
        """Paths on disk that go, the ledgers among them; sorted."""
        return tuple(sorted((*self.obsolete, *(path for path in self.spent if self.seen[path] is not None))))

    @property
    def is_clean(self) -> bool:
        """The tree is complete: every file and every ledger is what was asked for."""
        return not (self.files or self.ledgers or self.removed)


def make_plan(
    folders: Folders,
    groups: Mapping[str, FileSet],
    *,
    extra: FileSet,
    known: Known | None,
    overwrite: bool,
    all_groups: bool,
) -> Plan:
    """Compare what is wanted with what is on disk; see `Workspace.plan`."""
    _check(groups, extra)
    found = [read_group(folders, name, files) for name, files in sorted(groups.items())]
    if all_groups:
        gone = [name for name in names_on_disk(folders) if name not in groups and name != VENDOR]
        found += [group for name in gone if (group := read_group(folders, name, {})).is_on_disk]
    wanted = {path: file.content for files in (*groups.values(), extra) for path, file in files.items()}
    ours = Ours(found, frozenset(extra), known)
    draft = _compare(folders, wanted, ours)

    kept = [*wanted, *(group.ledger for group in found if group.text is not None)]
    needed = frozenset(folder for path in kept for folder in above(path))
    for path in sorted(draft.in_the_way):
        _check_way(folders, path, draft, needed)
    accounted = {*kept, *draft.obsolete, *(path for group in found for path in group.seen)}
    tops = None if all_groups else groups.keys()
    foreign, empty = scan(folders, tops, accounted, with_vendor=VENDOR in groups)
    return Plan(
        files=draft.files,
        obsolete=tuple(draft.obsolete),
        announced={group.next: text for group in found if (text := group.announcement()) is not None},
        ledgers={group.ledger: group.text for group in found if group.text not in {None, group.on_disk}},
        spent=tuple(path for group in found for path in group.spent()),
        edited=tuple(draft.edited),
        foreign=tuple(sorted(foreign)),
        leftovers=(*empty, *_stage_on_disk(folders)),
        unchanged=draft.unchanged,
        overwrite=overwrite,
        folders=needed,
        digests={
            **{path: mark for group in found for path, mark in group.wanted.items()},
            **{path: digest(file.content) for path, file in extra.items()},
        },
        seen=draft.seen | {path: mark for group in found for path, mark in group.seen.items()},
    )


def above(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first, the root left out."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _check(groups: Mapping[str, FileSet], extra: FileSet) -> None:
    for name, files in groups.items():
        if not name or "/" in name:
            raise ValueError(f"{name!r} is no name of a group")
        for path in files:
            if not belongs(path, name):
                raise ValueError(f"{path!r} is outside the folders of group {name!r}")
    ledgers = [ledger for name in groups for ledger in ledger_paths(name)]
    check_paths([*ledgers, *(path for files in (*groups.values(), extra) for path in files)])


class _Draft(Struct):
    files: dict[str, bytes] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    unchanged: int = 0
    seen: dict[str, str | None] = field(default_factory=dict)
    in_the_way: set[str] = field(default_factory=set)
    """Files where folders must be, and the other way round."""


def _compare(folders: Folders, wanted: Mapping[str, bytes], ours: Ours) -> _Draft:
    draft = _Draft()
    for path in sorted({*wanted, *ours.digests}):
        want, have = wanted.get(path), None
        try:
            have = folders.read_optional(path)
        except (NotAFile, NotAFolder) as error:
            # What is in the way may be ours and about to go; that is known after the loop.
            if want is not None:
                draft.in_the_way.add(error.path)
        if have is not None and have == want:
            draft.unchanged += 1
            continue
        if want is not None:
            draft.files[path] = want
        elif have is not None:
            draft.obsolete.append(path)
        else:
            continue
        mark = draft.seen[path] = digest_if_any(have)
        if mark is not None and not ours(path, mark):
            draft.edited.append(path)
    return draft


def _check_way(folders: Folders, path: str, draft: _Draft, needed: frozenset[str]) -> None:
    """Accept a file or a folder in the way if all that is in it goes."""
    if path in needed:
        if path not in draft.obsolete:
            raise NotAFolder(path)
        return
    try:
        inside = folders.files(path)
    except NotAFolder:
        raise NotAFile(path) from None  # a pipe or a device
    if not set(draft.obsolete).issuperset(inside):
        raise NotAFile(path)


def _stage_on_disk(folders: Folders) -> tuple[str, ...]:
    try:
        folders.enter(STAGE)
    except FileNotFoundError:
        return ()
    return (STAGE,)
