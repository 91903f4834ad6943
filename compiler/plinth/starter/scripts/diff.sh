# What would change, against $BASE, as Markdown. 2 says that something does, which is no fault.
set -eu
code=0
plinth compile --diff --base "$BASE" --format markdown > plinth-diff.md || code=$?
case $code in 0 | 2) ;; *) exit "$code" ;; esac
