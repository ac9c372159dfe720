from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "the course"

    def ready(self) -> None:
        from accounts.models import taken_in
        from courses.atlas import look_again
        from courses.models import Lecture, Section
        from courses.models.progress import take_in

        def receive(learner: Any, guest: Any, **_: Any) -> None:
            take_in(learner, guest)

        taken_in.connect(receive, weak=False, dispatch_uid="courses")
        for model in (Section, Lecture):
            for changed in (post_save, post_delete):
                changed.connect(look_again, sender=model, dispatch_uid=f"{model.__name__}")
