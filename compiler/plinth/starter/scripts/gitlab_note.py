"""One note on the merge request, found again by its first line. Who has no token has the artifact."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

ADDRESS = "{CI_API_V4_URL}/projects/{CI_PROJECT_ID}/merge_requests/{CI_MERGE_REQUEST_IID}/notes"
MOST_CHARACTERS = 1_000_000
PAGE = 100


def call(method: str, address: str, body: str | None = None) -> list[dict[str, object]]:
    """What GitLab answers."""
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {"PRIVATE-TOKEN": os.environ["PLINTH_GITLAB_TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - GitLab's own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        found = json.load(answer)
    return found if isinstance(found, list) else [found]


def main() -> None:
    """Write the note, or say why there is none."""
    marker = os.environ["MARKER"]
    body = f"{marker}\n{Path('plinth-diff.md').read_text(encoding='utf-8')}"[:MOST_CHARACTERS]
    notes = ADDRESS.format_map(os.environ)
    if not os.environ.get("PLINTH_GITLAB_TOKEN"):
        print("there is no PLINTH_GITLAB_TOKEN, so the diff is in the artifact only")  # noqa: T201 - the job's log
        return
    try:
        number, page = None, 1
        while number is None and (found := call("GET", f"{notes}?per_page={PAGE}&page={page}")):
            number = next((each["id"] for each in found if str(each["body"]).startswith(marker)), None)
            page += 1
        call("POST" if number is None else "PUT", notes if number is None else f"{notes}/{number}", body)
    except urllib.error.HTTPError as error:
        print(f"GitLab takes no note ({error.code}), so the diff is in the artifact only")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
