"""The link that shows a lecture's working text to whoever has it."""

from __future__ import annotations

from django.core.signing import TimestampSigner
from django.urls import reverse

from courses.models import Lecture

DAYS = 7
SIGNER = TimestampSigner(salt="courses.preview")


def preview_path(lecture: Lecture) -> str:
    """Valid from now on for DAYS days."""
    return reverse("courses:preview", args=[SIGNER.sign(str(lecture.pk))])


def lecture_pk(token: str) -> str:
    """Whose preview it is. Raises SignatureExpired, or BadSignature."""
    return str(SIGNER.unsign(token, max_age=DAYS * 86_400))
