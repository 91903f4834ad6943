"""Where tests look for a program: what a variable names, then `PATH`, then the rig."""

from __future__ import annotations

from pathlib import Path

import pytest

import rig
from support import kustomize, terraform


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A rig with a tofu, a kustomize and a kubectl, on a machine whose `PATH` holds nothing."""
    monkeypatch.setenv("PLINTH_RIG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    for name in ("PLINTH_TOFU", "PLINTH_KUSTOMIZE"):
        monkeypatch.delenv(name, raising=False)
    where, names = rig.programs.folder(), ("tofu", "kustomize", "kubectl")
    paths = {name: program(where / "bin", name) for name in names}
    for each in rig.programs.PROGRAMS:
        if each.name in names:
            rig.programs.leave_receipt(each, where)
    return paths


def program(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("built")
    path.chmod(0o755)
    return str(path)


def test_what_the_rig_built_is_found(built):
    assert terraform.find("tofu").path == built["tofu"]
    assert rig.find("kubectl") == built["kubectl"]
    assert kustomize.command() == (built["kustomize"], "build")


def test_the_rig_s_kubectl_builds_where_there_is_no_kustomize(built):
    Path(built["kustomize"]).unlink()
    assert kustomize.command() == (built["kubectl"], "kustomize")


def test_what_is_on_the_path_goes_before_the_rig(built, tmp_path):
    tofu, kubectl = (program(tmp_path / "path", name) for name in ("tofu", "kubectl"))
    assert terraform.find("tofu").path == tofu
    assert rig.find("kubectl") == kubectl
    assert kustomize.command() == (kubectl, "kustomize")


def test_what_a_variable_names_goes_before_all(built, tmp_path, monkeypatch):
    named = program(tmp_path / "mine", "kustomize-5")
    monkeypatch.setenv("PLINTH_KUSTOMIZE", named)
    monkeypatch.setenv("PLINTH_TOFU", named)
    assert terraform.find("tofu").path == named
    assert kustomize.command() == (named, "build")


def test_a_variable_that_names_nothing_is_not_made_up_for(built, monkeypatch):
    monkeypatch.setenv("PLINTH_KUSTOMIZE", "/nowhere/kustomize")
    monkeypatch.setenv("PLINTH_TOFU", "/nowhere/tofu")
    assert terraform.find("tofu") is None
    assert kustomize.command() is None
