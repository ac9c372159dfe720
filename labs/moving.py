"""A guest signs in: runs, pictures, and the jobs that the guest pays for become the account's.

Answers go with their run. A job that is queued or running is not touched otherwise. Limits are not
looked at again: who had room as a guest keeps what is there. Drafts stay findable for nobody, for
their ids are made of the guest's; they are swept within the hour.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import Learner, became_account, taken_in
from labs.models import Job, Picture, Run


@receiver(taken_in)
def move(learner: Learner, guest: Learner, **_: Any) -> None:
    Run.objects.filter(learner=guest).update(learner=learner)
    Picture.objects.filter(learner=guest).update(learner=learner, used=True)
    Job.objects.filter(payer=guest).update(payer=learner, address="")


@receiver(became_account)
def count_by_itself(learner: Learner, **_: Any) -> None:
    """What it started as a guest counts for its address no more; its pictures stay."""
    learner.pictures.update(used=True)
    Job.objects.filter(payer=learner).exclude(address="").update(address="")
