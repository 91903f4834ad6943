"""How Plinth speaks: diagnostics as values, their text and JSON forms, and the pages behind `explain`.

A fault in what somebody wrote is a `Diagnostic`: collected, sorted, shown together. A fault of the
world (no rights, a full disk) is a `PlinthError`, which carries a diagnostic as well so that every
command fails in one form. A fault of ours is an ordinary exception and keeps its traceback.
"""
