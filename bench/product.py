"""The product under load: `hotline serve` with many seats, a number without prompts, and no wrap-up."""

import json
import time
from pathlib import Path
from typing import Any

from tests.asterisk_node import free_rtp_ports
from tests.house import Server

FLOW = """flow: bench
note: No prompt at all, so that only the way from the call to the seat is measured.
start: seats
human: seats
nodes:
  seats: {queue: "{queue}"}
"""
NUMBER, QUEUE = "12399", "general"
CATALOGUE = f"""set: bench
numbers:
  - {{number: {NUMBER}, name: bench, owner_unit: bench, mode: whole, flow: bench, queue: {QUEUE}}}
"""
MEDIA_PORTS = 3000
FIRST_SEAT = 8000


class Product:
    """A hotline whose seats are the farm's phones. `accounts`: their SIP accounts, `{user: password}` as JSON.
    `queues`: how many skills every seat has; calls ask for the first. `several`: so many seats ring for one call."""

    def __init__(self, data: Path, seats: int, queues: int = 1, several: int = 1) -> None:
        ports = free_rtp_ports(MEDIA_PORTS)
        self.server = Server(data, {"HOTLINE_DEMO": "0", "HOTLINE_WORKERS": "0", "HOTLINE_RTP_PORTS": ports})
        self._seats = [str(FIRST_SEAT + number) for number in range(seats)]
        others = "".join(f", topic_{number}: 5" for number in range(1, queues))
        self._skills = f"{{general: 5{others}}}"
        self.accounts = data.parent / f"{data.name}-accounts.json"
        self._several, self.number = several, NUMBER
        self.goodbye = data / "prompts" / "bye"
        self.asterisk = 0

    def __enter__(self) -> "Product":
        flows = self.server.data / "flows"
        flows.mkdir(parents=True)
        (flows / "bench.yaml").write_text(FLOW)
        self.server.start()
        try:
            self._declare()
            self.accounts.write_text(json.dumps(dict(map(self._sign_in, self._seats))))
            self.asterisk = self.server.asterisk_pid
        except BaseException:
            self.server.__exit__()
            raise
        return self

    def _declare(self) -> None:
        """The number and the agents, by the commands that an administrator has."""
        catalogue, agents = self.server.data / "bench-numbers.yaml", self.server.data / "bench-agents.yaml"
        catalogue.write_text(CATALOGUE)
        self.server.command("numbers", "import", str(catalogue))
        lines = [
            f'- {{agent: "{one}", name: seat {one}, phone: "{one}", skills: {self._skills}}}' for one in self._seats
        ]
        agents.write_text("\n".join(lines) + "\n")
        self.server.command("agents", "import", str(agents))
        if self._several > 1:
            plan = {"ring": self._several}
            self.server.ask("PUT", f"/api/v1/queues/{QUEUE}/plan", json=plan).raise_for_status()

    def _sign_in(self, seat: str) -> tuple[str, str]:
        sip = self.server.post(f"/api/v1/seats/{seat}/sign-in")["sip"]
        return sip["username"], sip["secret"]

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def ready(self) -> None:
        """Wait until every seat can be offered a call."""
        deadline = time.monotonic() + 60
        while (ready := self._count_ready()) < len(self._seats):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{ready} of {len(self._seats)} seats became ready")
            time.sleep(0.2)

    def _count_ready(self) -> int:
        page = ""
        ready = 0
        while True:
            answer: dict[str, Any] = self.server.get(f"/api/v1/seats?limit=200{page}")
            ready += [one["state"] for one in answer["items"] if one["reachable"]].count("ready")
            if not answer["next"]:
                return ready
            page = f"&cursor={answer['next']}"

    @property
    def sip(self) -> int:
        return self.server.sip[1]

    @property
    def controller(self) -> int:
        return self.server.process.pid
