"""The real systems under test, run on this machine: no cloud account, no container engine.

`make rig` builds every program of `programs.py` once, from pinned Go modules, into a cache outside the
repository; `python -m tests.rig status` tells what is there. Tests ask for the fixtures of `fixtures.py`
and are left out, with the reason, where a program is not built.

| module | what it knows |
| - | - |
| `programs` | what is built, from which pins, and where it lies |
| `go` | which Go builds it |
| `faults` | what may be wrong with a machine |
| `build` | building, one at a time, so that no half of a build is ever found |
| `debian` | redis, zsh and jq, which are no Go programs |
| `ports`, `processes`, `keeper` | programs on free ports of 127.0.0.1, none of which outlives its test run |
| `client` | the Kubernetes API in the few calls that tests need |
| `control_plane` | etcd and an API server; controllers, scheduler and simulated nodes on request |
| `argocd` | Argo CD against such a control plane |
| `standins`, `reviewer`, `watch` | what pods would have done, because kwok runs no code |
| `certificates` | an authority that nobody else trusts |

Everything dials loopback only, and listens there, but for the metrics of Argo CD's controller.
"""

from .programs import find, missing, program

__all__ = ["find", "missing", "program"]
