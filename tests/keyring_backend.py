"""A keyring of a test's own, by the door through which `keyring` takes every system's."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Remembers until the test ends; `locked`, it refuses as a real one does."""

    priority = 0  # never chosen by itself

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.locked = False

    def get_password(self, service, username):
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)

    def _open(self):
        if self.locked:
            raise KeyringLocked("sk-quoted-by-the-backend")
