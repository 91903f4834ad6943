"""A connection to one API server: who is asked, by whom, and what comes back as plain JSON data.

The `kubernetes` package does what is hard: kubeconfig, contexts, exec plug-ins, tokens, certificates.
Of the rest only its pool of connections is used: a model of every kind costs more than the answers.

Nothing here can change a cluster: a request that is no GET cannot be made without `dryRun=All`.

Source: Kubernetes, "API Concepts", "Dry-run"; "Organizing Cluster Access Using kubeconfig Files".
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct, field

from plinth import __version__
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.diagnostics.show import printable
from plinth.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubernetes.client import ApiClient, Configuration

AT_ONCE: Final = 16
"""Requests under way at once: what an API server takes from a person without holding others up."""

CONNECT_S: Final = 10.0
ANSWER_S: Final = 60.0
TRIES: Final = 5
LONGEST_WAIT_S: Final = 30.0

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

_BUSY: Final = frozenset({429, 503, 504})
"""Worth another try; 503 and 504 only where the server says when."""


class Request(Struct, frozen=True, kw_only=True):
    """A question to an API server.

    Raises:
        ValueError: it would change something.
    """

    path: str
    """Unquoted, from the server's root: `/apis/apps/v1/deployments`."""
    method: Literal["GET", "PATCH", "POST"] = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json"
    content_type: str = "application/json"
    body: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.method != "GET" and self.query.get("dryRun") != "All":
            raise ValueError(f"{self.method} {self.path} would change the cluster")


class Refused(Struct, frozen=True, kw_only=True):
    """An answer that is no object: what a Status says, or what HTTP does where there is none."""

    status: int
    """Of HTTP; 0 where no answer came in time."""
    reason: str
    message: str
    """May quote values of the object that was sent."""
    causes: tuple[str, ...] = ()
    """The fields that it complains of: `spec.clusterIP`."""


class ApiServer:
    """One API server, asked as one identity. May be used by several threads."""

    def __init__(self, client: ApiClient, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._wait = wait
        # A token that expires is fetched again while a header is made: by one thread at a time.
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it is asked, for a message: without what a URL may hold of a password."""
        parts = urlsplit(str(self._client.configuration.host))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def ask(self, request: Request) -> Mapping[str, Any] | Refused:
        """The object that comes back, or why none does.

        Raises:
            PlinthError: it cannot be reached, does not take our credentials, or is no API server.
        """
        for left in range(TRIES - 1, -1, -1):
            answer = self._send(request, again=left > 0)
            if (
                answer is None
            ):  # the connection broke while nothing was said: everything here can be asked twice
                continue
            status, headers, data = answer
            pause = _pause(status, headers.get("Retry-After"))
            if pause is None or not left:
                break
            self._wait(pause)
        if status == 401:  # noqa: PLR2004 - as HTTP numbers it
            raise self._unauthorised()
        return self._read(status, data)

    def _send(self, request: Request, *, again: bool) -> tuple[int, Mapping[str, str], bytes] | None:
        import urllib3  # noqa: PLC0415 - only who asks a cluster pays for it

        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            answer = self._client.rest_client.pool_manager.request(
                request.method,
                f"{self._client.configuration.host}{quote(request.path)}{query}",
                body=None if request.body is None else json.dumps(request.body).encode(),
                headers=self._headers(request),
                timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.ReadTimeoutError:
            text = json.dumps({"kind": "Status", "reason": "Timeout", "message": "no answer in time"})
            return 0, {}, text.encode()
        except urllib3.exceptions.SSLError as error:
            raise _no_trust(self.address, error) from None
        except urllib3.exceptions.ProtocolError as error:
            if again:
                return None
            raise _unreachable(self.address, error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(self.address, error) from None
        return int(answer.status), answer.headers, bytes(answer.data)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Accept": request.accept,
            "Accept-Encoding": "gzip",
            "User-Agent": f"plinth/{__version__}",
        }
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        with self._lock:
            token = self._client.configuration.auth_settings().get("BearerToken")
        if token and token["value"]:
            headers["Authorization"] = str(token["value"])
        return headers

    def _read(self, status: int, data: bytes) -> Mapping[str, Any] | Refused:
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        is_object = isinstance(found, dict)
        if 200 <= status < 300:  # noqa: PLR2004 - as HTTP numbers success
            if is_object:
                return found  # type: ignore[no-any-return]  # proven above
            raise _no_api_server(self.address, "what it answers is no JSON object")
        if 300 <= status < 400:  # noqa: PLR2004 - as HTTP numbers redirections
            raise _no_api_server(self.address, f"it redirects (HTTP {status}), as a sign-in page does")
        if not is_object or found.get("kind") != "Status":
            return Refused(status=status, reason=f"HTTP {status}", message="")
        causes = (found.get("details") or {}).get("causes") or ()
        return Refused(
            status=status,
            reason=str(found.get("reason") or f"HTTP {status}"),
            message=str(found.get("message") or ""),
            causes=tuple(str(each["field"]) for each in causes if each.get("field")),
        )

    def _unauthorised(self) -> PlinthError:
        return PlinthError(
            Diagnostic(
                code="PLN915",
                message=f"{self.address} does not take the credentials (401): they are wrong or have expired",
                help="sign in again as your cloud wants it, or name another context with `--context`",
            )
        )


def connect(context: str | None) -> ApiServer:
    """The API server of a context, of the current one, or of the cluster that this runs in.

    Raises:
        PlinthError: there is no kubeconfig, no such context, or it cannot be used.
    """
    text = os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(each).expanduser() for each in text.split(os.pathsep) if each]
    if any(each.is_file() for each in files):
        return ApiServer(_from_kubeconfig(text, context))
    if context is None and os.environ.get("KUBERNETES_SERVICE_HOST") and SERVICE_ACCOUNT.is_file():
        return ApiServer(_from_inside())
    raise PlinthError(
        Diagnostic(
            code="PLN912",
            message=f"there is no kubeconfig: {', '.join(f'`{each}`' for each in files)} cannot be found",
            help="have your cloud write one, or name it with the variable KUBECONFIG",
        )
    )


def _from_kubeconfig(text: str, context: str | None) -> ApiClient:
    # A third of a second, which only who asks a cluster pays.
    from kubernetes import config  # noqa: PLC0415

    heard = _Heard()
    logging.getLogger().addHandler(heard)  # a plug-in's failure is logged, and nowhere else to be learnt
    try:
        if context is not None and context not in (contexts := _contexts(text)):
            raise _no_context(context, contexts)  # noqa: TRY301 - passed on below
        # Nothing is written back: this command reads.
        client: ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]  # it has no types
            text, context, persist_config=False, client_configuration=_configuration()
        )
    except PlinthError:
        raise
    except Exception as error:  # noqa: BLE001 - a file of a person's, read by somebody else's code
        raise _bad_kubeconfig(text, error) from None
    finally:
        logging.getLogger().removeHandler(heard)
    if heard.lines and not client.configuration.api_key and not client.configuration.cert_file:
        raise PlinthError(
            Diagnostic(
                code="PLN915",
                message=f"the plug-in of the kubeconfig gives no credentials: {printable(heard.lines[0])}",
                help="run what `users[].user.exec` of the kubeconfig names, and sign in as it asks",
            )
        )
    return client


def _contexts(text: str) -> list[str]:
    from kubernetes.config import kube_config  # noqa: PLC0415 - as above

    found = kube_config.KubeConfigMerger(text).config  # type: ignore[no-untyped-call]  # as above
    every = (found.value if found is not None else {}).get("contexts") or []
    return sorted(str(each["name"]) for each in every)


def _from_inside() -> ApiClient:
    from kubernetes import client, config  # noqa: PLC0415 - as above

    found = _configuration()
    config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]  # as above
    return client.ApiClient(configuration=found)


def _configuration() -> Configuration:
    from kubernetes.client import Configuration  # noqa: PLC0415 - as above

    found = Configuration()
    found.connection_pool_maxsize = AT_ONCE
    return found


class _Heard(logging.Handler):
    """The first line of everything that is logged, kept and not shown."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.getMessage().splitlines() or [""])[0])


def _pause(status: int, after: str | None) -> float | None:
    """The seconds to wait before the next try; None where another try makes no sense."""
    if status not in _BUSY or (after is None and status != 429):  # noqa: PLR2004 - as HTTP numbers it
        return None
    seconds = float(after) if after and after.isdecimal() else 1.0
    return min(seconds, LONGEST_WAIT_S)


def _no_context(name: str, known: list[str]) -> PlinthError:
    listed = f"there are {', '.join(known)}" if known else "the kubeconfig has none"
    return PlinthError(
        Diagnostic(
            code="PLN912",
            message=f"the kubeconfig has no context `{name}`",
            help=f"{did_you_mean(name, known, otherwise='name one that it has')}; {listed}",
        )
    )


def _bad_kubeconfig(text: str, error: Exception) -> PlinthError:
    # Of a YAML fault only its kind: the text around it may be a token.
    is_told = type(error).__name__ == "ConfigException" or isinstance(error, OSError)
    why = printable(str(error).splitlines()[0]) if is_told and str(error) else type(error).__name__
    return PlinthError(
        Diagnostic(
            code="PLN912",
            message=f"the kubeconfig `{text}` cannot be used: {why}",
            help="`kubectl config view` shows what kubectl makes of it",
        )
    )


def _unreachable(address: str, error: BaseException) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN913",
            message=f"{address} cannot be reached: {_cause(error)}",
            help="is the cluster up, and does a private control plane want a VPN or a bastion from here?",
        )
    )


def _no_trust(address: str, error: BaseException) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN914",
            message=f"no secure connection to {address}: {_cause(error)}",
            help="see to `certificate-authority-data` and the client certificate in the kubeconfig",
        )
    )


def _no_api_server(address: str, why: str) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN916",
            message=f"{address} is no Kubernetes API server: {why}",
            help="see to `server` in the kubeconfig, and to proxies on the way",
        )
    )


def _cause(error: BaseException) -> str:
    """What the system says of a failed connection, in its words and without those of the layers above."""
    seen: BaseException | None = error
    texts: list[str] = []
    while seen is not None and len(texts) < AT_ONCE:
        if isinstance(seen, OSError):
            # `verify_message` is OpenSSL's own: "self-signed certificate".
            texts.append(getattr(seen, "verify_message", "") or seen.strerror or str(seen))
        inner = seen.args[-1] if seen.args and isinstance(seen.args[-1], BaseException) else None
        seen = inner or seen.__cause__ or seen.__context__
    said = next((each for each in reversed(texts) if each), "")
    if type(error).__name__ == "ConnectTimeoutError":
        said = f"no answer within {CONNECT_S:.0f} s"
    return printable(said.splitlines()[0][:200] if said else type(error).__name__)
