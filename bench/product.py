"""The product under load: `hotline serve` with many seats, a number without prompts, and no wrap-up."""

import json
from pathlib import Path

from tests.house import Server

FLOW = """flow: bench
note: No prompt at all, so that only the way from the call to the seat is measured.
start: seats
human: seats
nodes:
  seats: {queue: "{queue}"}
"""
NUMBER = "12399"
CATALOGUE = f"""numbers:
  - number: "{NUMBER}"
    name: bench
    mode: self
    flow: bench
    queue: general
"""


class Product:
    """A hotline whose seats are the farm's phones."""

    def __init__(self, data: Path, seats: int) -> None:
        self.server = Server(data, {"HOTLINE_DEMO": "0", "HOTLINE_WORKERS": "0"})
        self._seats = [str(8000 + n) for n in range(seats)]
        self.accounts = data.parent / f"{data.name}-accounts.json"

    def __enter__(self) -> "Product":
        flows = self.server.data / "flows"
        flows.mkdir(parents=True)
        (flows / "bench.yaml").write_text(FLOW)
        self.server.start()
        catalogue = self.server.data / "bench-numbers.yaml"
        catalogue.write_text(CATALOGUE)
        self.server.command("numbers", "import", str(catalogue))
        known: dict[str, str] = {}
        for seat in self._seats:
            self.server.post("/api/v1/agents", {"number": seat, "skills": {"general": 5}}, role="administrator")
            sip = self.server.post(f"/api/v1/seats/{seat}/sign-in")["sip"]
            known[sip["username"]] = sip["secret"]
        self.accounts.write_text(json.dumps(known))
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    @property
    def sip(self) -> int:
        return self.server.sip[1]

    @property
    def controller(self) -> int:
        return self.server.process.pid

    @property
    def asterisk(self) -> int:
        return self.server.asterisk_pid
