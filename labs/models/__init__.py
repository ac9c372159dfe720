"""Runs and jobs. A Run is a learner's; the Job it refers to is what workers compute."""

from labs.models.answer import Answer
from labs.models.files import Artifact, Picture
from labs.models.job import Job, Part, State
from labs.models.run import Run
from labs.models.turn import Turn

__all__ = ["Answer", "Artifact", "Job", "Part", "Picture", "Run", "State", "Turn"]
