"""Answers about a compiled platform: plain functions of what was compiled, without a file or a network."""
