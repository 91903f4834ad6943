"""The platform between what was asked and what is written.

`said` values that know their origin; `needs` before any cloud is chosen and `answers` from one;
`targets` (Terraform resources, manifests, patches, Applications) in a `graph`; `render` for the
final objects; `fileset` and `ledger` for what is written and whose it is.
"""
