"""Tree against tree: what a change of the spec does to the platform, before anybody merges it."""
