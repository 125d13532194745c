"""What integration tests share: a real Asterisk (see `tests/asterisk_node.py`)."""

from tests.asterisk_node import asterisk_node, asterisk_nodes, shared_asterisk_node

__all__ = ["asterisk_node", "asterisk_nodes", "shared_asterisk_node"]
