from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import logs, roles, signals  # noqa: F401

        roles.connect()
        logs.hide_secrets()
