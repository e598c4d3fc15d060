"""A Jupyter server that tells people apart, and says who may do what."""

from __future__ import annotations

from jupyter_server.auth import Authorizer, IdentityProvider, User


class ByToken(IdentityProvider):
    """Whoever comes with the token `of-ann` is Ann."""

    async def get_user_token(self, handler):
        before, _, name = (self.get_token(handler) or "").partition("of-")
        return User(name, name, name) if name and not before else None


class ReadersAndWriters(Authorizer):
    """A reader may only read, a stranger nothing; what was asked is remembered."""

    def is_authorized(self, handler, user, action, resource):
        allowed = {"reader": ["read"], "stranger": []}.get(user.username, ["read", "execute"])
        return resource == "dipeo" and action in allowed


PEOPLE = {
    "ServerApp": {
        "identity_provider_class": "tests.server.people.ByToken",
        "authorizer_class": "tests.server.people.ReadersAndWriters",
    }
}
