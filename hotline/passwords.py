"""Passwords as argon2id, computed in a few threads so that a flood of log-ins cannot take the machine."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")


class Passwords:
    """Makes and checks hashes. Checking takes equally long whether or not there is an account."""

    def __init__(self, hasher: PasswordHasher | None = None, *, threads: int = 2) -> None:
        # RFC 9106's second recommendation, with one lane: 64 MiB, three passes.
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._nobodys = self._hasher.hash("nobody's")

    async def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; `None` when there is no account, which takes as long and is never right."""
        matches = await self._run(lambda: self._matches(stored or self._nobodys, password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether it should be made anew with today's parameters at the next log-in."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, do)
