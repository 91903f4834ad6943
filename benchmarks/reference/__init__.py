"""The reference platform: 25 upstreams as a team would have them, larger than the example."""
