# One comment, found again by its first line. Who may not write one (a fork) has it in the summary.
set -eu
{ echo "$MARKER"; cat plinth-diff.md; } > comment.md
cat plinth-diff.md >> "$GITHUB_STEP_SUMMARY"
if [ "$(LC_ALL=C.UTF-8 wc -m < comment.md)" -gt 65536 ]; then
  { echo "$MARKER"; echo "The diff is too long for a comment. It is in [the summary]($RUN)."; } > comment.md
fi
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
post() {
  gh api --paginate "$comments?per_page=100" > comments.json || return 1
  id=$(jq -rs --arg marker "$MARKER" \
    '[.[][] | select(.user.type == "Bot" and (.body | startswith($marker))) | .id] | first // empty' comments.json) || return 1
  if [ -n "$id" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@comment.md --silent
  else
    gh api --method POST "$comments" --field body=@comment.md --silent
  fi
}
post || echo "::notice::This run may not comment; the diff is in its summary."
