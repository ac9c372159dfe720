"""The course as rows: sections, lectures, pictures, and what learners have made of them."""

from courses.models.lecture import Lecture, Section
from courses.models.picture import Picture
from courses.models.progress import Answer, Progress

__all__ = ["Answer", "Lecture", "Picture", "Progress", "Section"]
