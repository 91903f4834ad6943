"""Copy the recorded Terraform provider schemas that the tests need into `tests/data/tfschema/`.

    python tools/copy_tfschema.py --source FOLDER

`FOLDER` holds one `{provider}.json` for each provider, in the reduced format of
`providers schema -json`: names, types and flags, no descriptions, plus what that command does not
tell (`force_new`, `conflicts`, `exactly_one_of`, ...). Each is copied whole: every type of the
recording is one that Plinth emits or is likely to. The copy is compact, sorted and has one type a
line, so a Git diff names the types that a provider release changed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

PROVIDERS = ("aws", "google", "random")

TARGET = Path(__file__).parents[1] / "tests" / "data" / "tfschema"

TYPE_SECTIONS = ("resources", "data_sources", "ephemeral_resources")


def attributes(mode: str, kind: str, *names: str, **flags: bool) -> dict[str, Any]:
    """Several attributes that differ in name only."""
    return {name: {"mode": mode, "type": kind, **flags} for name in names}


# The recordings hold no ephemeral resource types, which Terraform knows since 1.10 and OpenTofu
# since 1.11. Each is stated here as its provider's source declares it.
EPHEMERAL_RESOURCES: dict[str, dict[str, dict[str, Any]]] = {
    "aws": {
        # Source: terraform-provider-aws,
        # internal/service/secretsmanager/secret_version_ephemeral.go
        "aws_secretsmanager_secret_version": {
            "attributes": {
                **attributes("required", "string", "secret_id"),
                **attributes("optional_computed", "string", "region", "version_id", "version_stage"),
                **attributes("computed", "string", "arn", "created_date"),
                **attributes("computed", "string", "secret_binary", "secret_string", sensitive=True),
            },
            "blocks": {},
        },
    },
    "google": {
        # Source: terraform-provider-google,
        # google/services/secretmanager/ephemeral_google_secret_manager_secret_version.go
        "google_secret_manager_secret_version": {
            "attributes": {
                **attributes("required", "string", "secret"),
                **attributes("optional_computed", "string", "project"),
                **attributes("optional", "string", "version"),
                **attributes("optional", "bool", "is_secret_data_base64"),
                **attributes("computed", "string", "create_time", "destroy_time", "name"),
                **attributes("computed", "bool", "enabled"),
                **attributes("computed", "string", "secret_data", sensitive=True),
            },
            "blocks": {},
        },
    },
    "random": {
        # Source: terraform-provider-random 3.7.1, internal/provider/ephemeral_password.go
        "random_password": {
            "attributes": {
                **attributes("required", "number", "length"),
                **attributes("optional_computed", "bool", "lower", "numeric", "special", "upper"),
                **attributes(
                    "optional_computed", "number", "min_lower", "min_numeric", "min_special", "min_upper"
                ),
                **attributes("optional", "string", "override_special"),
                **attributes("computed", "string", "bcrypt_hash", "result", sensitive=True),
            },
            "blocks": {},
        },
    },
}


def render(schema: dict[str, Any]) -> str:
    """The file text: sorted compact JSON, a line for each key and for each type of a section."""
    lines = []
    for key, value in sorted(schema.items()):
        if key in TYPE_SECTIONS and value:
            types = ",\n".join(f"{compact(name)}:{compact(block)}" for name, block in sorted(value.items()))
            lines.append(f"{compact(key)}:{{\n{types}\n}}")
        else:
            lines.append(f"{compact(key)}:{compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def compact(value: object) -> str:
    """Sorted JSON without a space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def main() -> None:
    """Write one file for each of `PROVIDERS`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, required=True, help="folder of recorded provider schemas")
    source = parser.parse_args().source
    TARGET.mkdir(parents=True, exist_ok=True)
    for provider in PROVIDERS:
        schema = json.loads((source / f"{provider}.json").read_text(encoding="utf-8"))
        schema["ephemeral_resources"] = EPHEMERAL_RESOURCES[provider]
        (TARGET / f"{provider}.json").write_text(render(schema), encoding="utf-8")
        counts = ", ".join(f"{len(schema[section])} {section}" for section in TYPE_SECTIONS)
        print(f"{provider} {schema['version']}: {counts}")


if __name__ == "__main__":
    main()
