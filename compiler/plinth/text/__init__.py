"""Text with positions in, canonical text out; this floor knows nothing of platforms.

- `spans`: a place in a file, a path in a document, and how a path is written.
- `nodes`: a YAML document whose every node knows its place and its path; `read_yaml` never raises,
  it returns every fault it found.
- `merge`: a base and an override become one document; each leaf keeps its place, path and text.
- `emit`: JSON and YAML that depend on the value alone, and that every reader takes for that value.

What is read is a narrow YAML: what YAML 1.1 and 1.2 readers take for different values is refused.
What is written is narrower still: one document, no anchors, no tags. Nothing here opens a file.
"""
