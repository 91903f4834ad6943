"""What a new platform begins with: its platform file, git's files, and the workflows of CI.

Functions of a person's answers: `questions` says what there is to answer, `platform` makes the spec
of it, `gitfiles`, `github` and `gitlab` what stands beside it, and `tree` all of them by path. No
file is touched here, and no cloud is known: what a cloud has to be told is in its section.
"""
