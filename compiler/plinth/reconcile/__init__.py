"""Desired against live: what was compiled, and what a cluster and Terraform plans say of it.

    desired   every object that Argo CD would bring, with the origins of its fields
    cluster   those objects asked for, judged, and asked for once more before anything is reported
    plans     Terraform plans, each with the root that it is of
    stale     the tree on disk against what the spec compiles to

What is asked goes through `live`, what an answer means is in `drift`.
"""
