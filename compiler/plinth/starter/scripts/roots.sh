# Plans the roots of $ENVIRONMENT in order. With MODE=apply, applies each, if it is what was planned before.
#
# A plan may hold what nobody should read, so it never leaves this machine: what a person approves is
# the plan in the log, and $PLINTH_CHANGES holds its digests. What is planned anew has to have the same.
set -eu
work=$(mktemp -d)
changes=""
# A plan that nobody applies takes no lock, so who only plans needs no right to write the state.
lock=true
[ "$MODE" = apply ] || lock=false
for root in network cluster platform; do
  folder="generated/$ENVIRONMENT/terraform/$root"
  [ -d "$folder" ] || continue
  echo "--- $root"
  terraform -chdir="$folder" init -input=false -no-color
  terraform -chdir="$folder" plan -input=false -no-color -lock=$lock -out="$work/plan"
  terraform -chdir="$folder" show -json "$work/plan" > "$work/plan.json"

  # A thing that goes may still be used: Argo CD has to let go of it first. So all else comes now,
  # and the removal waits until somebody asks for it.
  removed=$(jq '[.resource_changes[]? | select(.change.actions == ["delete"])] | length' "$work/plan.json")
  if [ "$removed" -gt 0 ] && [ "${REMOVALS:-false}" != true ]; then
    echo "--- $root: $removed to remove, after the sync; all else is planned without them"
    jq -r '.resource_changes[]? | select(.change.actions | index("create") or index("update")) | .address' \
      "$work/plan.json" > "$work/targets"
    set --
    while IFS= read -r address; do set -- "$@" "-target=$address"; done < "$work/targets"
    [ "$#" -gt 0 ] || continue
    terraform -chdir="$folder" plan -input=false -no-color -lock=$lock -out="$work/plan" "$@"
    terraform -chdir="$folder" show -json "$work/plan" > "$work/plan.json"
  fi

  jq -S '{
      resources: [.resource_changes[]? | select(.change.actions | . != ["no-op"] and . != ["read"]) | {address, change}],
      outputs: (.output_changes // {} | with_entries(select(.value.actions != ["no-op"])))
    }' "$work/plan.json" > "$work/changes.json"
  if jq -e '.resources == [] and .outputs == {}' "$work/changes.json" > "$work/nothing"; then continue; fi
  digest=$(sha256sum < "$work/changes.json" | cut -c1-64)
  changes="$changes $root:$digest"
  if [ "$MODE" = apply ]; then
    case " ${PLINTH_CHANGES:-} " in
      *" $root:$digest "*) terraform -chdir="$folder" apply -input=false -no-color "$work/plan" ;;
      *) echo "$root: this is not the plan that was approved; run the whole pipeline again" >&2; exit 1 ;;
    esac
  fi
done
rm -r "$work"
if [ "$MODE" = plan ]; then echo "PLINTH_CHANGES=${changes# }" >> "${GITHUB_OUTPUT:-plinth.env}"; fi
