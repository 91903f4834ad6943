"""The page behind every diagnostic code, and the examples on it.

A page's fences say what they are: `yaml speaks` and `yaml silent` hold a piece of a spec, laid over
a small platform that compiles without a word; with `raw` the fence is the whole file; `yaml
patches/NAME` is a file that the others name. Checks bring their pages in their modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import plinth
from plinth import registry
from plinth.diagnostics.diagnostic import SpecError
from plinth.diagnostics.pages import codes, page
from plinth.ir.people import PatchFault
from plinth.pipeline import Inputs, compile_spec
from plinth.text.emit import yaml_text
from plinth.text.merge import merge
from plinth.text.nodes import Node, find, plain, read_yaml

LONGEST_PAGE = 45
"""Lines. Of a check's page its prose counts: a whole object has many lines."""

PLATFORM = b"""\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme-ml}
spec:
  cloud: {provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1}
  repository: {url: "https://github.com/acme/ml-platform.git"}
  nodePools:
    - {name: system, cpu: 4, memory: 16Gi, nodes: {min: 1, max: 3}}
  identity: {domain: ml.acme.com, admins: [platform@acme.com]}
  upstreams: remote
  components: {}
"""

NOT_SHOWN = {
    "PLN109": "the bytes at fault would be invisible",
    "PLN321": "it takes files under generated/vendor/",
    "PLN323": "it takes a lock and a record of outputs",
}
"""Pages without examples, beside those of the world's faults (PLN9..), which no platform file causes."""

_FENCE = re.compile(r"^```(?P<mark>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"PLN[0-9]{3}")
_CHECKS = {check.code: check.page for check in registry.load_all("checks")}
_PAGES = {code: page(code) or "" for code in codes()} | _CHECKS


@dataclass(frozen=True)
class Example:
    code: str
    speaks: bool
    raw: bool
    text: str
    patches: dict[str, str]


def _examples(code: str, text: str) -> list[Example]:
    fences = [(found["mark"].split(), found["text"]) for found in _FENCE.finditer(text)]
    patches = {mark[1]: body for mark, body in fences if mark[1:] and mark[1].startswith("patches/")}
    return [
        Example(code, speaks=mark[1] == "speaks", raw="raw" in mark[2:], text=body, patches=patches)
        for mark, body in fences
        if mark[0] == "yaml" and mark[1:2] in (["speaks"], ["silent"])
    ]


_EXAMPLES = [
    pytest.param(example, id=f"{code}-{number}-{'speaks' if example.speaks else 'silent'}")
    for code, text in sorted(_PAGES.items())
    for number, example in enumerate(_examples(code, text), start=1)
]


@pytest.mark.parametrize("example", _EXAMPLES)
def test_an_example_is_what_its_page_says(example):
    given = _codes_given(example)
    assert given == ({example.code} if example.speaks else set())


def test_the_platform_below_the_examples_is_in_order():
    assert _codes_of(PLATFORM, {}) == set()


def test_every_code_has_its_page_and_every_page_its_code():
    folder = Path(plinth.__file__).parent
    used = {code for path in folder.rglob("*.py") for code in _CODE.findall(path.read_text("utf-8"))}
    assert used - set(_PAGES) == set(), "codes without a page"
    assert set(_PAGES) - used == set(), "pages without a code"
    assert set(codes()) & set(_CHECKS) == set(), "a check brings its page itself"


@pytest.mark.parametrize("code", sorted(_PAGES))
def test_a_page_has_its_parts(code):
    text = _PAGES[code]
    heading, _, rest = text.partition("\n")
    why, _, below = rest.partition("\n## How to mend it\n")
    mend, has_examples, examples = below.partition("\n## Examples\n")
    assert re.fullmatch(rf"# {code}: .+[^.]", heading)
    assert len(why.split()) >= 10, "what is so, and why it is bad"
    assert len(mend.split()) >= 4, "a way out"
    counted = _FENCE.sub("", text) if code in _CHECKS else text
    assert len(counted.splitlines()) <= LONGEST_PAGE
    assert max(map(len, text.splitlines())) <= 120
    if code.startswith("PLN9"):
        assert not has_examples
    else:
        assert examples.strip()


@pytest.mark.parametrize("code", sorted(set(_PAGES) - set(NOT_SHOWN)))
def test_a_page_shows_both_sides(code):
    if code.startswith("PLN9"):
        assert _examples(code, _PAGES[code]) == []
        return
    marks = {word for found in _FENCE.finditer(_PAGES[code]) for word in found["mark"].split()}
    assert {"speaks", "silent"} <= marks


@pytest.mark.parametrize("code", sorted(_PAGES))
def test_a_page_names_only_codes_that_exist(code):
    assert set(_CODE.findall(_PAGES[code])) <= set(_PAGES)


def test_a_code_that_is_none_has_no_page():
    assert page("PLN999") is None
    assert page("../pages/PLN101") is None


def _codes_given(example: Example) -> set[str]:
    data = example.text.encode()
    if not example.raw:
        return _codes_of(_laid_over(PLATFORM, data), example.patches)
    if example.speaks:
        return _codes_of(data, {})
    # A piece of text is no platform: that it can be read is all there is to say of it.
    return {fault.kind for fault in read_yaml(data, "platform.yaml")[1]}


def _codes_of(data: bytes, patches: dict[str, str]) -> set[str]:
    def patch(path: str) -> object:
        if path not in patches:
            raise PatchFault("there is no such file")
        return plain(_node(patches[path].encode()))

    try:
        result = compile_spec(
            data, "platform.yaml", Inputs(patch=patch, vendored=lambda _component, _version: None)
        )
    except SpecError as error:
        return {each.code for each in error.diagnostics}
    return {each.code for each in result.diagnostics}


def _laid_over(platform: bytes, fragment: bytes) -> bytes:
    base, change = _node(platform), _node(fragment)
    whole = plain(merge(base, change)[0])
    said = plain(change)["spec"]
    provider = find(change, ("spec", "cloud", "provider"))
    if provider is not None and provider.value != "gcp":
        whole["spec"]["cloud"] = said["cloud"]
    # Environments and nulls are for the compiler to lay over, not for us.
    for key in ("environments", "components"):
        if key in said:
            whole["spec"][key] = said[key]
    return yaml_text(whole).encode()


def _node(data: bytes) -> Node:
    node, faults = read_yaml(data, "example.yaml")
    assert node is not None
    assert faults == ()
    return node
