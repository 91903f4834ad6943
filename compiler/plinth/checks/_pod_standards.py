"""What a pod may not say, by the level that its namespace enforces.

Source: Kubernetes 1.34, "Pod Security Standards", and what its admission plug-in makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from plinth.ir.kubernetes import CONTAINER_LISTS

Pod = Mapping[str, Any]
Control = Callable[[Pod, Pod], Iterable[str]]
"""What is wrong with the metadata and the spec of a pod."""

_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_SELINUX_TYPES: Final = frozenset(
    {"container_engine_t", "container_init_t", "container_kvm_t", "container_t"}
)
_PROFILES: Final = frozenset({"Localhost", "RuntimeDefault"})
_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")


def violations(template: Pod, level: str) -> tuple[str, ...]:
    """Every field of a pod, or of a pod template, that the level forbids or misses; none for `privileged`."""
    controls = _LEVELS.get(level, ())
    metadata, spec = template.get("metadata") or {}, template["spec"]
    return tuple(dict.fromkeys(found for control in controls for found in control(metadata, spec)))


def _containers(spec: Pod) -> Iterator[tuple[str, Pod]]:
    for part in CONTAINER_LISTS:
        for index, container in enumerate(spec.get(part) or ()):
            name = container.get("name") or index
            yield f"{part}[{name}]", container


def _security(holder: Pod) -> Pod:
    return holder.get("securityContext") or {}


def _contexts(spec: Pod) -> Iterator[tuple[str, Pod]]:
    """Every security context: that of the pod first."""
    yield "securityContext", _security(spec)
    for where, container in _containers(spec):
        yield f"{where}.securityContext", _security(container)


def _host_namespaces(_: Pod, spec: Pod) -> Iterator[str]:
    yield from (f"`{field}` is true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field))


def _host_process(_: Pod, spec: Pod) -> Iterator[str]:
    for where, context in _contexts(spec):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield f"`{where}.windowsOptions.hostProcess` is true"


def _privileged(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        if _security(container).get("privileged"):
            yield f"`{where}.securityContext.privileged` is true"


def _added_capabilities(_: Pod, spec: Pod) -> Iterator[str]:
    return _added(spec, _CAPABILITIES)


def _added(spec: Pod, allowed: frozenset[str]) -> Iterator[str]:
    for where, container in _containers(spec):
        for name in (_security(container).get("capabilities") or {}).get("add") or ():
            if name not in allowed:
                yield f"`{where}.securityContext.capabilities.add` has `{name}`"


def _host_paths(_: Pod, spec: Pod) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        if volume.get("hostPath") is not None:
            yield f"`volumes[{volume.get('name')}]` is a `hostPath`"


def _host_ports(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"`{where}.ports` has the `hostPort` {port['hostPort']}"


def _probed_hosts(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        handlers = [(name, container.get(name)) for name in _PROBES]
        handlers += [(f"lifecycle.{name}", (container.get("lifecycle") or {}).get(name)) for name in _HOOKS]
        for name, handler in handlers:
            for action in ("httpGet", "tcpSocket"):
                if ((handler or {}).get(action) or {}).get("host"):
                    yield f"`{where}.{name}.{action}.host` is set"


def _apparmor(metadata: Pod, spec: Pod) -> Iterator[str]:
    for where, context in _contexts(spec):
        kind = (context.get("appArmorProfile") or {}).get("type")
        if kind is not None and kind not in _PROFILES:
            yield f"`{where}.appArmorProfile.type` is `{kind}`"
    for name, value in sorted((metadata.get("annotations") or {}).items()):
        if (
            name.startswith(_APPARMOR)
            and value not in {"", "runtime/default"}
            and not value.startswith("localhost/")
        ):
            yield f"the annotation `{name}` is `{value}`"


def _selinux(_: Pod, spec: Pod) -> Iterator[str]:
    for where, context in _contexts(spec):
        options = context.get("seLinuxOptions") or {}
        if options.get("type") and options["type"] not in _SELINUX_TYPES:
            yield f"`{where}.seLinuxOptions.type` is `{options['type']}`"
        yield from (
            f"`{where}.seLinuxOptions.{field}` is set" for field in ("user", "role") if options.get(field)
        )


def _proc_mount(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        kind = _security(container).get("procMount")
        if kind not in {None, "Default"}:
            yield f"`{where}.securityContext.procMount` is `{kind}`"


def _unconfined(_: Pod, spec: Pod) -> Iterator[str]:
    for where, context in _contexts(spec):
        kind = (context.get("seccompProfile") or {}).get("type")
        if kind is not None and kind not in _PROFILES:
            yield f"`{where}.seccompProfile.type` is `{kind}`"


def _sysctls(_: Pod, spec: Pod) -> Iterator[str]:
    for sysctl in _security(spec).get("sysctls") or ():
        if sysctl.get("name") not in _SYSCTLS:
            yield f"`securityContext.sysctls` has `{sysctl.get('name')}`"


def _volume_types(_: Pod, spec: Pod) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        for kind in sorted(volume.keys() - {"name"} - _VOLUMES):
            if volume[kind] is not None:
                yield f"`volumes[{volume.get('name')}]` is a `{kind}`"


def _escalation(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        if _security(container).get("allowPrivilegeEscalation") is not False:
            yield f"`{where}.securityContext.allowPrivilegeEscalation` is not false"


def _non_root(_: Pod, spec: Pod) -> Iterator[str]:
    of_pod = _security(spec).get("runAsNonRoot")
    if of_pod is False:
        yield "`securityContext.runAsNonRoot` is false"
    for where, container in _containers(spec):
        own = _security(container).get("runAsNonRoot")
        if own is False or (own is None and not of_pod):
            yield (
                f"`{where}.securityContext.runAsNonRoot` is not true, nor is the pod's"
                if own is None
                else (f"`{where}.securityContext.runAsNonRoot` is false")
            )


def _root_user(_: Pod, spec: Pod) -> Iterator[str]:
    for where, context in _contexts(spec):
        if context.get("runAsUser") == 0:
            yield f"`{where}.runAsUser` is 0"


def _seccomp(_: Pod, spec: Pod) -> Iterator[str]:
    if _security(spec).get("seccompProfile"):
        return  # judged by `_unconfined`, as those of containers are
    for where, container in _containers(spec):
        if not _security(container).get("seccompProfile"):
            yield f"`{where}.securityContext.seccompProfile` is not set, nor is the pod's"


def _dropped_capabilities(_: Pod, spec: Pod) -> Iterator[str]:
    for where, container in _containers(spec):
        if "ALL" not in ((_security(container).get("capabilities") or {}).get("drop") or ()):
            yield f"`{where}.securityContext.capabilities.drop` lacks `ALL`"
    yield from _added(spec, frozenset({"NET_BIND_SERVICE"}))


def _on_linux(control: Control) -> Control:
    def on_linux(metadata: Pod, spec: Pod) -> Iterable[str]:
        is_windows = (spec.get("os") or {}).get("name") == "windows"
        return () if is_windows else control(metadata, spec)

    return on_linux


_BASELINE: Final[tuple[Control, ...]] = (
    _host_process,
    _host_namespaces,
    _privileged,
    _added_capabilities,
    _host_paths,
    _host_ports,
    _probed_hosts,
    _apparmor,
    _selinux,
    _proc_mount,
    _unconfined,
    _sysctls,
)
_LEVELS: Final[Mapping[str, tuple[Control, ...]]] = {
    "baseline": _BASELINE,
    "restricted": (
        *_BASELINE,
        _volume_types,
        _on_linux(_escalation),
        _non_root,
        _root_user,
        _on_linux(_seccomp),
        _on_linux(_dropped_capabilities),
    ),
}
