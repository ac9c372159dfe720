"""The pictures of the course: uploaded from the editor, decoded in a worker, listed here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import learner_of
from courses.admin.sections import link_to
from courses.models import Lecture, Picture
from courses.rules import PICTURE
from labs.models import Job, State
from labs.models import Picture as Upload
from labs.models.run import Refused
from labs.views.address import address_of
from labs.views.pictures import ALLOWED, take_in

if TYPE_CHECKING:
    PictureBase = admin.ModelAdmin[Picture]
else:
    PictureBase = admin.ModelAdmin

PATIENCE = 10.0
"""Seconds that an author waits for a worker; it takes half of one where none is busy."""
LONGEST_ALT = 300
BUSY = (
    "No worker has read the picture yet: they may be busy, or not running. Wait a minute, then "
    "insert it again."
)
OVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class NotTaken(Exception):
    """Why a picture is not kept: a sentence, and the status that says it."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status


def upload(request: HttpRequest) -> JsonResponse:
    """A picture with its alternative, from the editor: the Markdown that shows it."""
    try:
        picture = taken(request)
    except NotTaken as reason:
        return JsonResponse({"error": reason.sentence}, status=reason.status)
    return JsonResponse({"markdown": picture.markdown}, status=201)


def taken(request: HttpRequest) -> Picture:
    """The picture as the course keeps it. Raises NotTaken."""
    alt = " ".join("".join(filter(str.isprintable, request.POST.get("alt", ""))).split())
    if not alt:
        raise NotTaken("Say in a sentence what the picture shows: who cannot see it reads this.")
    if len(alt) > LONGEST_ALT:
        raise NotTaken(f"The description has {len(alt)} characters, and {LONGEST_ALT} is the most.")
    given = request.FILES.get("picture")
    if given is None or not given.size:
        raise NotTaken(f"No picture came with the description, or an empty file. {ALLOWED}")
    if given.size > settings.UPLOAD_MAX_BYTES:
        raise NotTaken(f"The picture has {given.size / 1e6:.1f} MB. {ALLOWED}")
    return Picture.take(_decoded(request, given), alt)


def _decoded(request: HttpRequest, given: UploadedFile[bytes]) -> bytes:
    """A clean copy, made by a worker; nothing of the upload stays."""
    try:
        made = take_in(learner_of(request), given, address_of(request))
    except Refused as refusal:
        raise NotTaken(refusal.sentence, refusal.status) from None
    try:
        state, reason = _waited_for(made.job_id)
        if state != State.SUCCEEDED:
            raise NotTaken(reason or BUSY, 422 if state in OVER else 503)
        rebuilt = made.rebuilt
        assert rebuilt is not None  # it succeeded
        return rebuilt.path.read_bytes()
    finally:
        _forget(made)


def _waited_for(job_id: int) -> tuple[str, str]:
    """State and reason of a job once it is over, or after PATIENCE."""
    end = monotonic() + PATIENCE
    while True:
        state, reason = Job.objects.values_list("state", "reason").get(pk=job_id)
        if state in OVER or monotonic() > end:
            return state, reason
        sleep(0.1)


def _forget(made: Upload) -> None:
    """It was the learner's for a moment: its row, its job and its files."""
    files = [artifact.path for artifact in made.job.artifacts.all()]
    made.job.delete()
    for file in files:
        file.unlink(missing_ok=True)


def uses() -> dict[str, list[Lecture]]:
    """By the name of each picture, the lectures that show it, to students or to their authors."""
    found: dict[str, list[Lecture]] = defaultdict(list)
    shown = Q(source__contains="pictures/") | Q(published__contains="pictures/")
    for lecture in Lecture.objects.select_related("section").filter(shown):
        texts = lecture.source + lecture.published
        for name in {match[1] for match in re.finditer(PICTURE, texts)}:
            found[name].append(lecture)
    return found


@admin.register(Picture)
class PictureAdmin(PictureBase):
    """Pictures come from the editor, so none is added here; one that is used is not deleted."""

    fields = ["shown", "name", "alt", "kilobytes", "added", "where"]
    readonly_fields = ["shown", "name", "kilobytes", "added", "where"]
    search_fields = ["name", "alt"]
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], Any]]:
        used = cache(uses)  # once a page, not once a row

        @admin.display(description="used in")
        def used_in(picture: Picture) -> str:
            return _links(used().get(picture.name, []))

        return ["name", "shown", "alt", "kilobytes", used_in]

    @admin.display(description="picture")
    def shown(self, picture: Picture) -> SafeString:
        source = reverse("courses:picture", args=[picture.name])
        return format_html('<img class="thumbnail" src="{}" alt="" loading="lazy">', source)

    @admin.display(description="size", ordering="size")
    def kilobytes(self, picture: Picture) -> str:
        return f"{picture.size / 1000:,.0f} kB"

    @admin.display(description="used in")
    def where(self, picture: Picture) -> str:
        return _links(uses().get(picture.name, []))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": "Pictures of the course"})

    def delete_model(self, request: HttpRequest, obj: Picture) -> None:
        obj.remove()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """One that a lecture shows is protected, and the page says by which."""
        used = uses()
        protected = [link_to(lecture) for one in objs for lecture in used.get(one.name, [])]
        return [str(picture) for picture in objs], {"pictures": len(objs)}, set(), protected

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.upload))
        return [path("upload/", view, name="courses_picture_upload"), *super().get_urls()]

    def upload(self, request: HttpRequest) -> JsonResponse:
        if not request.user.has_perm("courses.add_picture"):
            raise PermissionDenied
        return upload(request)


def _links(lectures: list[Lecture]) -> str:
    return format_html_join(", ", "{}", ((link_to(lecture),) for lecture in lectures)) or "nothing"
