"""What integration tests share: a real Asterisk (see `tests/asterisk_node.py`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from asterisk_node import asterisk_node, asterisk_nodes, shared_asterisk_node

__all__ = ["asterisk_node", "asterisk_nodes", "shared_asterisk_node"]
