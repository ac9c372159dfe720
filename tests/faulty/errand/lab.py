"""The steady lab in the quick lane: something that runs there for a while."""

from labs.lab import INTERACTIVE, Lab, Slot
from tests.faulty.steady.lab import Steps

LAB = Lab(
    title="Errand",
    summary="Counts in the quick lane.",
    section=18,
    lane=INTERACTIVE,
    params=Steps,
    panel=(Slot("count", "curves", "Count"), Slot("draws", "note", "Draws")),
    seconds=1,
    limit=60,
)
