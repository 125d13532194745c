"""The revisions, oldest first by their `down_revision`. Never edit one that was released: add another."""
