"""Not a lab of the course: the job that makes a clean copy of an uploaded picture."""

from labs.lab import INTERACTIVE, Lab
from labs.params import Params

LAB = Lab(
    title="Upload of a picture",
    summary="Decodes an uploaded picture, with limits, and keeps a clean copy.",
    section=0,
    lane=INTERACTIVE,
    params=Params,
    panel=(),
    seconds=0.3,
    limit=60,
    too_long="Upload a smaller picture.",
    seeded=False,
)
