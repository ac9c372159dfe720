"""How passwords are kept."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB and two passes (what OWASP's Password Storage Cheat Sheet asks for).

    Django's default takes 100 MiB and eight lanes: with eight views at once that is more memory
    than the web container has.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
