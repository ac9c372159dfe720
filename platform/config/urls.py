"""The site's contents."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.urls import urlpatterns as accounts
from courses.views.pages import home
from labs.views import pages

# Nobody signs in past the limits on guesses.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
handler429 = "accounts.views.too_many"
handler500 = "labs.views.errors.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("course/", include("courses.urls")),
    path("labs/", include("labs.urls.labs")),
    path("runs/", include("labs.urls.runs")),
    path("pictures/", include("labs.urls.pictures")),
    path("api/", include("labs.api.urls")),
    path("admin/", admin.site.urls),
    *accounts,
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
