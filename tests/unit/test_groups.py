"""Tests that share something expensive run in one worker."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_is_handed_out_together(request):
    # By this ending they are known. Where it is lost nothing else fails: each worker plans all of Terraform's
    # roots, and the run takes twice as long.
    is_grouped = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@together") == is_grouped
