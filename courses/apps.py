from typing import Any

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"

    def ready(self) -> None:
        from accounts.models import taken_in
        from courses.models.progress import take_in

        def receive(learner: Any, guest: Any, **_: Any) -> None:
            take_in(learner, guest)

        taken_in.connect(receive, weak=False, dispatch_uid="courses")
