"""Make the facts of Terraform providers by which a diff tells a replacement from an update in place.

    python tools/provider_schemas.py --source FOLDER

`FOLDER` holds recorded provider schemas, as `tools/copy_tfschema.py` reads them. Types that they lack come
from the files that are written by hand beside that one's copies, flags that they lack from
`corrected_schemas`. Of each resource type is kept what decides what a changed argument does: names, types,
defaults, and what forces a new resource. A type is one line, so that a Git diff names those that a provider
release changed.
"""

import json
from pathlib import Path
from typing import Any

from copy_tfschema import asked_source, compact
from corrected_schemas import correct

PROVIDERS = ("aws", "azurerm", "google", "random")
ROOT = Path(__file__).parents[1]
TARGET = ROOT / "compiler" / "plinth" / "catalog" / "providers"
WRITTEN = ROOT / "tests" / "data" / "tfschema"
"""Where `{provider}_more.json` has the types that a recording lacks, written by hand."""

ATTRIBUTE_FLAGS = ("mode", "type", "force_new", "default", "write_only")
BLOCK_FLAGS = ("nesting", "force_new", "computed")


def trimmed(block: dict[str, Any]) -> dict[str, Any]:
    """A block with what decides, of the arguments that a configuration may set."""
    kept: dict[str, Any] = {flag: block[flag] for flag in BLOCK_FLAGS if block.get(flag)}
    attributes = {
        name: {flag: flags[flag] for flag in ATTRIBUTE_FLAGS if flags.get(flag) not in (None, False)}
        for name, flags in block.get("attributes", {}).items()
        if flags["mode"] != "computed" or name == "terraform_labels"
    }
    blocks = {name: trimmed(nested) for name, nested in block.get("blocks", {}).items() if name != "timeouts"}
    if attributes:
        kept["attributes"] = attributes
    if blocks:
        kept["blocks"] = blocks
    return kept


def main() -> None:
    """Write one file for each of `PROVIDERS`."""
    source = asked_source(__doc__)
    TARGET.mkdir(parents=True, exist_ok=True)
    for provider in PROVIDERS:
        schema = json.loads((source / f"{provider}.json").read_text(encoding="utf-8"))
        correct(schema)
        more = WRITTEN / f"{provider}_more.json"
        if more.exists():
            schema["resources"] |= json.loads(more.read_text(encoding="utf-8"))["resources"]
        types = sorted(schema["resources"].items())
        lines = ",\n".join(f"{compact(name)}:{compact(trimmed(block))}" for name, block in types)
        text = f'{{"version":{compact(schema["version"])},"resources":{{\n{lines}\n}}}}\n'
        (TARGET / f"{provider}.json").write_text(text, encoding="utf-8")
        print(f"{provider} {schema['version']}: {len(types)} types, {len(text)} bytes")


if __name__ == "__main__":
    main()
