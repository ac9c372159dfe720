"""What allauth leaves open: the one-time link, guests who sign out, and who tries too often."""

from __future__ import annotations

from allauth.account import views as allauth
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import once

WAIT = 60
TOO_MANY = (
    "From your address, or with this account, this was tried more often than the site takes, so "
    "that nobody can guess passwords here. Nothing is lost: wait, then try again."
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_not_required
def sign_in_once(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """A GET asks, for mail programs and chats open links by themselves; the POST signs in."""
    with transaction.atomic():
        user = once.whose(uidb64, token)
        if user is None:
            return render(request, "account/once_over.html", status=410)
        if request.method == "POST":
            login(request, user)
            return redirect("admin:index" if user.is_staff else "home")
    return render(request, "account/once.html", {"whom": user})


class SignOut(allauth.LogoutView):  # type: ignore[misc]
    """Ends a guest's session as well: whoever comes next to this browser finds nothing of it."""

    def logout(self) -> None:
        super().logout()
        self.request.session.flush()


def too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", {"message": TOO_MANY, "retry": WAIT}, status=429)
    response["Retry-After"] = str(WAIT)
    return response
