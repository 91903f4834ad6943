# Moves $BRANCH forward to this commit. Without force: where it cannot go forward, it stays.
set -eu
git config credential.helper '!f() { echo username=plinth; echo "password=$PLINTH_GITLAB_TOKEN"; }; f'
git push "$CI_PROJECT_URL.git" "$CI_COMMIT_SHA:refs/heads/$BRANCH"
