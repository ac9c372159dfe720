from django.apps import AppConfig


class LabsConfig(AppConfig):
    name = "labs"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from labs import moving, patience  # noqa: F401

        connection_created.connect(patience.watch)
