"""What is taken for a secret, and what is not.

Every value here is made up while the test runs, so that no scanner finds one in our files.
"""

from __future__ import annotations

import base64
import hashlib
import string
from itertools import count

import pytest

from plinth.diagnostics.secrets import hide_secrets, secret_in

LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def noise(length: int, seed: int = 7) -> bytes:
    """Bytes that look random and are the same in every run."""
    blocks = (hashlib.sha512(f"{seed} {number}".encode()).digest() for number in count())
    found = b""
    while len(found) < length:
        found += next(blocks)
    return found[:length]


def made_up(length: int, alphabet: str = LETTERS_AND_DIGITS, seed: int = 7) -> str:
    return "".join(alphabet[byte % len(alphabet)] for byte in noise(length, seed))


def digest_like(length: int) -> str:
    return hashlib.sha512(b"plinth").hexdigest()[:length]


UPPER = string.ascii_uppercase + string.digits
SECRETS = {
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "openssh key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "aws access key": "AK" + "IA" + made_up(16, UPPER),
    "aws session key": "AS" + "IA" + made_up(16, UPPER),
    "aws secret key": made_up(40, LETTERS_AND_DIGITS + "+/"),
    "google api key": "AI" + "za" + made_up(35),
    "google access token": "ya" + "29." + made_up(60),
    "google client secret": "GOC" + "SPX-" + made_up(28),
    "github token": "gh" + "p_" + made_up(36),
    "github app token": "gh" + "s_" + made_up(36),
    "github fine-grained token": "github" + "_pat_" + made_up(82),
    "gitlab token": "gl" + "pat-" + made_up(20),
    "slack token": "xo" + "xb-" + made_up(12, string.digits) + "-" + made_up(24),
    "sk- key": "s" + "k-" + made_up(48),
    "sk- key in parts": "s" + "k-proj-" + made_up(40),
    "hugging face token": "h" + "f_" + made_up(34),
    "nvidia key": "nv" + "api-" + made_up(64),
    "docker token": "dckr" + "_pat_" + made_up(27),
    "json web token": "ey" + "J" + made_up(30) + "." + made_up(80) + "." + made_up(43),
    "password in a url": "https://ci:" + made_up(8) + "@git.acme.com/ml.git",
    "short password in a url": "postgres://mlflow:" + "pw" + "@db.acme.com/mlflow",
    "base64": base64.b64encode(noise(32)).decode(),
    "azure storage key": base64.b64encode(noise(64)).decode(),
    "openssl rand -hex 32": digest_like(64),
    "weights and biases key": digest_like(40),
    "azure client secret": made_up(40, seed=11),
    "in a setting": "API_KEY=" + made_up(40),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_found_and_hidden(secret):
    assert secret_in(secret) is not None
    for text in (secret, f"value: {secret}", f'value: "{secret}"', f"[{secret}, other]"):
        found = secret_in(text)
        assert found is not None
        hidden = hide_secrets(text)
        assert len(hidden) == len(text), "what stands behind it keeps its column"
        assert secret_in(hidden) is None
        assert secret not in hidden


@pytest.mark.parametrize(
    "mark", ["AI" + "za", "github" + "_pat_", "gh" + "p_", "h" + "f_", "dckr" + "_pat_", "nv" + "api-"]
)
def test_the_mark_of_an_issuer_is_enough(mark):
    """Without it, nothing about so many equal letters would look like a secret."""
    assert secret_in("a" * 40) is None
    assert secret_in(mark + "a" * 40) == (0, len(mark) + 40)


def test_the_place_is_that_of_the_secret():
    secret = SECRETS["github token"]
    assert secret_in(f"a: {secret} # x") == (3, 3 + len(secret))
    assert hide_secrets(f"a: {secret} # x") == f"a: {'*' * len(secret)} # x"


def test_only_the_user_and_password_of_a_url_are_hidden():
    assert hide_secrets("https://ci:" + "pw" + "@git.acme.com/ml") == "https://*****@git.acme.com/ml"


@pytest.mark.parametrize(
    ("text", "hidden"), [("xo" + "xb-aaaaaaaaaa", "*" * 15), ("://a:" + "b@c", "://***@c")]
)
def test_the_shortest_secrets_are_hidden(text, hidden):
    assert hide_secrets(text) == hidden


def test_every_secret_of_a_line_is_hidden():
    one, two = SECRETS["github token"], SECRETS["base64"]
    assert hide_secrets(f"{one} {two}") == f"{'*' * len(one)} {'*' * len(two)}"


@pytest.mark.parametrize("seed", range(40))
def test_most_random_values_are_found(seed):
    """Forty random ones of 40 characters: each is found, for none may be an exception by chance alone."""
    assert secret_in(made_up(40, seed=seed)) is not None


HARMLESS = {
    "image by digest": "quay.io/jupyter/minimal-notebook@sha256:" + digest_like(64),
    "digest": "sha256:" + digest_like(64),
    "short commit": digest_like(12),
    "url": "https://github.com/acme/ml-platform.git",
    "url with names of many kinds": "https://dev.azure.com/AcmeCorp2024/MLPlatform/_git/Platform2025Config",
    "url with a user": "ssh://git@github.com/Acme/MLPlatform2025.git",
    "url with a port": "https://registry.acme.com:5000/TeamA1/ModelZoo2/images",
    "scp-like url": "git@github.com:AcmeCorporation2024/MachineLearningPlatform.git",
    "bucket url": "gs://acme-ml-artifacts-2026/Experiments/TeamVision1/Run42/Model7",
    "path": "clusters/Prod1/EuropeWest4/overlays/Team7/JupyterHub2",
    "path of a patch": "patches/jupyterhub/moreMemory4Notebooks.yaml",
    "file named by a digest": "assets/" + digest_like(24) + "_min.js",
    "e-mail": "machine.learning.platform.2026@AcmeCorporation1.example.com",
    "service account": "jupyterhub-nodes-1@acme-ml-dev-2026.iam.gserviceaccount.com",
    "range": "10.0.0.0/16",
    "machine": "a2-ultragpu-8g",
    "machine of another cloud": "Standard_ND96amsr_A100_v4",
    "gpu": "nvidia-h100-mega-80gb",
    "principal": (
        "principal://iam.googleapis.com/projects/123456789012/locations/global/"
        "workloadIdentityPools/acme.svc.id.goog/subject/ns/mlflow/sa/mlflow"
    ),
    "long name": "machine-learning-platform-for-vision-team-2026-europe-west4",
    "camel case": "MyVeryLongServiceAccountName2026ForTheVisionTeam",
    "snake case": "my_very_long_service_account_name_2026_for_vision",
    "shouting": "PLINTH_EXPERIMENTAL_FEATURES_ENABLED_V2",
    "sk- name": "sk-learn-serving-runtime-for-teams-2026",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "version": "1.36.0-gke.1234567+build20260608",
    "tag": "quay.io/jupyter/all-spark-notebook:2026-06-08",
    "window": "sat 02:00-08:00",
    "many digits": "123456789012345678901234567890",
    "one letter": "a" * 60,
    "sentence": "the oldest minor version to accept, in quotes; the channel decides above it",
    "number and unit": "64Gi",
    "label": "cloud.google.com/gke-accelerator=nvidia-tesla-t4",
    "context": "gke_acme-ml-dev_us-central1_acme-ml",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_a_spec_may_hold_is_no_secret(text):
    assert secret_in(text) is None
    assert hide_secrets(text) == text


def test_a_bare_commit_id_counts_as_a_secret():
    """No field takes one, and keys of the same form are common; behind `sha256:` it is a digest."""
    assert secret_in(digest_like(40)) is not None
    assert secret_in("sha256:" + digest_like(64)) is None


TOKENS = {
    "URL-safe": "-".join(made_up(8, seed=seed) for seed in (1, 2, 3)),
    "short": made_up(20, seed=9),
    "short hexadecimal": digest_like(32),
    "behind a colon": "token:" + made_up(30, seed=5),
    "of an option": "--token=" + made_up(30, seed=6),
    "long, with slashes": "/".join(made_up(12, seed=seed) for seed in range(4)),
}


@pytest.mark.parametrize("text", TOKENS.values(), ids=TOKENS)
def test_a_token_is_hidden_where_it_is_shown(text):
    secret = text.rpartition("=")[2].rpartition(":")[2]
    for around in (text, f"value: {text}", f'"{text}",', f"{text}\n"):
        assert secret not in hide_secrets(around)
        assert len(hide_secrets(around)) == len(around)


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + "0123456789abcdef" * 2,
        "google_container_node_pool.acme-ml-a100-80gb-2026",
        "OAuth2ProxyV7ConfigMap-for-teams-in-2026",
        "/spec/template/spec/containers/[name=hub]/env/[name=CONFIGPROXY_AUTH_TOKEN]/valueFrom",
        "quay.io/jupyter/all-spark-notebook:2026-06-08",
        "projects/acme-ml-dev/locations/us-central1/repositories/platform",
        "11111111-2222-3333-4444-555555555555",
    ],
)
def test_names_are_shown(text):
    assert hide_secrets(text) == text
